//! The worker's inbox, and the way to let it fill: requests of the page wait here until the
//! driver asks for one, and [`Doorbell::turn`] lets the browser deliver more between two slices.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::task::{Poll, Waker};

use js_sys::{Function, Promise};
use spoor_protocol::Event;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

/// Requests in the order of their arrival, save that some may overtake.
#[derive(Default)]
pub struct Inbox {
    waiting: RefCell<VecDeque<Event>>,
    waker: Cell<Option<Waker>>,
}

impl Inbox {
    /// Adds a request and wakes whoever waits for one.
    pub fn push(&self, event: Event) {
        self.waiting.borrow_mut().push_back(event);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// The next request.
    pub async fn next(&self) -> Event {
        self.first(|_| true).await
    }

    /// The next one that concerns the request which is running: an interrupt or typed input.
    /// Others stay where they are.
    pub async fn next_urgent(&self) -> Event {
        self.first(is_urgent).await
    }

    /// As [`Inbox::next_urgent`], where there is one already.
    pub fn take_urgent(&self) -> Option<Event> {
        self.take(is_urgent)
    }

    /// Whether nothing is waiting.
    pub fn is_empty(&self) -> bool {
        self.waiting.borrow().is_empty()
    }

    async fn first(&self, wanted: impl Fn(&Event) -> bool) -> Event {
        poll_fn(|context| match self.take(&wanted) {
            Some(event) => Poll::Ready(event),
            None => {
                self.waker.set(Some(context.waker().clone()));
                Poll::Pending
            }
        })
        .await
    }

    fn take(&self, wanted: impl Fn(&Event) -> bool) -> Option<Event> {
        let mut waiting = self.waiting.borrow_mut();
        let at = waiting.iter().position(wanted)?;
        waiting.remove(at)
    }
}

fn is_urgent(event: &Event) -> bool {
    matches!(event, Event::Interrupt | Event::InputReply { .. })
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
        inbox.push(Event::Restart);
        inbox.push(Event::Continue);
        assert!(inbox.take_urgent().is_none());
        inbox.push(Event::Interrupt);
        inbox.push(Event::InputReply { value: None });
        let urgent = || inbox.next_urgent().now_or_never();
        assert!(matches!(urgent(), Some(Event::Interrupt)));
        assert!(matches!(urgent(), Some(Event::InputReply { .. })));
        let next = || inbox.next().now_or_never();
        assert!(matches!(next(), Some(Event::Restart)));
        assert!(matches!(next(), Some(Event::Continue)));
        assert!(next().is_none() && inbox.is_empty());
    }
}
