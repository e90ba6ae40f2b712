//! The worker's inbox, and the way to let it fill: requests of the page wait here until the
//! driver asks for one, and [`Doorbell::turn`] lets the browser deliver more between two slices.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::task::{Poll, Waker};

use js_sys::{Function, Promise};
use spoor_messages::Source;
use spoor_protocol::{Event, PluginWish};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

/// What the page asks for.
#[derive(Debug)]
pub enum Asked {
    /// A request to the kernel.
    Event(Event),
    /// One more source.
    AddSource(Source),
    /// The source of this name is gone.
    RemoveSource(String),
    /// One more plugin.
    AddPlugin(Adding),
    /// The plugin of this name is to go.
    RemovePlugin(String),
    /// The end of the Python code that runs, whatever it does.
    RollBack,
}

/// A plugin that the page wants added; see [`spoor_messages::ToWorker::AddPlugin`].
#[derive(Debug, Clone)]
pub struct Adding {
    /// The request's id.
    pub id: String,
    /// Where the module is.
    pub url: String,
    /// The module that it has to be.
    pub sha256: Option<String>,
    /// The capabilities that it is granted.
    pub granted: Vec<String>,
    /// What the user says of its limits.
    pub limits: PluginWish,
}

/// Requests in the order of their arrival, save that some may overtake.
#[derive(Default)]
pub struct Inbox {
    waiting: RefCell<VecDeque<Asked>>,
    waker: Cell<Option<Waker>>,
}

impl Inbox {
    /// Adds a request and wakes whoever waits for one.
    pub fn push(&self, asked: Asked) {
        self.waiting.borrow_mut().push_back(asked);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// The next request.
    pub async fn next(&self) -> Asked {
        self.first(|_| true).await
    }

    /// The next one that concerns the request which is running: an interrupt, typed input, or its end.
    /// Others stay where they are.
    pub async fn next_urgent(&self) -> Asked {
        self.first(is_urgent).await
    }

    /// Waits until there is one that concerns what runs, and leaves it where it is: for the request that it means.
    pub async fn urgent_there(&self) {
        poll_fn(|context| {
            if self.waiting.borrow().iter().any(is_urgent) {
                return Poll::Ready(());
            }
            self.waker.set(Some(context.waker().clone()));
            Poll::Pending
        })
        .await;
    }

    /// As [`Inbox::next_urgent`], where there is one already.
    pub fn take_urgent(&self) -> Option<Asked> {
        self.take(is_urgent)
    }

    async fn first(&self, wanted: impl Fn(&Asked) -> bool) -> Asked {
        poll_fn(|context| match self.take(&wanted) {
            Some(asked) => Poll::Ready(asked),
            None => {
                self.waker.set(Some(context.waker().clone()));
                Poll::Pending
            }
        })
        .await
    }

    fn take(&self, wanted: impl Fn(&Asked) -> bool) -> Option<Asked> {
        let mut waiting = self.waiting.borrow_mut();
        let at = waiting.iter().position(wanted)?;
        waiting.remove(at)
    }
}

fn is_urgent(asked: &Asked) -> bool {
    matches!(
        asked,
        Asked::RollBack | Asked::Event(Event::Interrupt | Event::InputReply { .. })
    )
}

/// A message channel to itself: the shortest way round the browser's event loop (`setTimeout`
/// waits 4 ms).
pub struct Doorbell {
    channel: web_sys::MessageChannel,
}

impl Doorbell {
    /// Opens the channel.
    pub fn new() -> Result<Self, JsValue> {
        Ok(Self {
            channel: web_sys::MessageChannel::new()?,
        })
    }

    /// Goes once round the event loop: messages that have arrived are in the inbox afterwards.
    pub async fn turn(&self) -> Result<(), JsValue> {
        let rung = Promise::new(&mut |resolve: Function, _reject| {
            self.channel.port1().set_onmessage(Some(&resolve));
        });
        self.channel.port2().post_message(&JsValue::UNDEFINED)?;
        JsFuture::from(rung).await.map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    #[test]
    fn an_interrupt_overtakes_and_the_rest_keeps_its_order() {
        let inbox = Inbox::default();
        let push = |event| inbox.push(Asked::Event(event));
        push(Event::Restart);
        push(Event::Continue);
        assert!(inbox.take_urgent().is_none());
        push(Event::Interrupt);
        push(Event::InputReply { value: None });
        inbox.push(Asked::RollBack);
        assert!(inbox.urgent_there().now_or_never().is_some());
        let urgent = || inbox.next_urgent().now_or_never();
        assert!(matches!(urgent(), Some(Asked::Event(Event::Interrupt))));
        assert!(matches!(
            urgent(),
            Some(Asked::Event(Event::InputReply { .. }))
        ));
        assert!(matches!(urgent(), Some(Asked::RollBack)));
        assert!(inbox.urgent_there().now_or_never().is_none());
        let next = || inbox.next().now_or_never();
        assert!(matches!(next(), Some(Asked::Event(Event::Restart))));
        assert!(matches!(next(), Some(Asked::Event(Event::Continue))));
        assert!(next().is_none());
    }
}
