//! Stepping the kernel, and those of its effects that need no waiting.

use std::rc::Rc;

use js_sys::Uint8Array;
use serde_json::{Map, Value};
use spoor_protocol::{Channel, Effect, Effects, Event, Frame};

use super::fetch::Fetch;
use super::plugins::Call;
use super::{Session, Todo};
use crate::error::Error;
use crate::kernel::Kernel;
use spoor_messages::FromWorker;

/// The messages that `outputs` takes the place of.
const OUTPUTS: [&str; 6] = [
    "stream",
    "display_data",
    "execute_result",
    "error",
    "update_display_data",
    "clear_output",
];

impl Session {
    /// The kernel; the error says how it broke, if it did.
    pub(super) fn running_kernel(&self) -> Result<Rc<Kernel>, Error> {
        match &*self.kernel.borrow() {
            Ok(kernel) => Ok(kernel.clone()),
            Err(why) => Err(Error::Kernel(why.clone())),
        }
    }

    /// One step, and the effects that need no waiting. A kernel that breaks in it is not stepped again.
    pub(super) async fn step(self: &Rc<Self>, frame: &Frame<Event>) -> Result<Todo, Error> {
        let kernel = self.running_kernel()?;
        self.stepped(kernel.step(frame).await)
    }

    /// [`Session::step`] of a kernel that is ready for it.
    pub(super) fn step_now(self: &Rc<Self>, frame: &Frame<Event>) -> Result<Todo, Error> {
        let kernel = self.running_kernel()?;
        self.stepped(kernel.step_now(frame))
    }

    fn stepped(self: &Rc<Self>, stepped: Result<Frame<Effects>, Error>) -> Result<Todo, Error> {
        let mut effects = stepped.inspect_err(|error| {
            let why = match error {
                Error::Kernel(why) => why.clone(),
                other => other.to_string(),
            };
            *self.kernel.borrow_mut() = Err(why);
        })?;
        let mut todo = Todo::default();
        for effect in std::mem::take(&mut effects.header) {
            match effect {
                Effect::Publish { .. } => self.publish(effect, &effects.buffers)?,
                Effect::RunPython { source } => todo.python = Some(source),
                Effect::ResetPython => self.reset_python(),
                Effect::UpcallReply { buffer } => todo.reply = effects.buffers.get(buffer).cloned(),
                Effect::Read { name } => todo.reads.push(name),
                Effect::Fetch {
                    fetch,
                    provider,
                    query,
                    timespan,
                } => {
                    todo.fetch = Some(Fetch {
                        fetch,
                        provider,
                        query,
                        timespan,
                    });
                }
                Effect::LoadPlugin {
                    plugin,
                    name,
                    imports,
                    buffer,
                } => {
                    let module = effects.buffers.get(buffer).map(Vec::as_slice);
                    self.plugins
                        .load(plugin, name, &imports, module.unwrap_or_default());
                }
                Effect::CallPlugin {
                    call,
                    plugin,
                    limits,
                    buffer,
                } => {
                    let frame = effects.buffers.get_mut(buffer).map(std::mem::take);
                    todo.calls.push(Call {
                        call,
                        plugin,
                        limits,
                        frame: frame.unwrap_or_default(),
                    });
                }
                Effect::Continue => todo.go_on = true,
                Effect::Refuse { reason } => self.fail("driver", &reason),
                Effect::Idle { parent } => {
                    self.flush();
                    self.send(&FromWorker::Done { parent });
                }
            }
        }
        Ok(todo)
    }

    fn publish(&self, effect: Effect, buffers: &[Vec<u8>]) -> Result<(), Error> {
        let Effect::Publish {
            channel,
            msg_type,
            parent,
            content,
            metadata,
            buffers: indices,
        } = effect
        else {
            return Ok(());
        };
        if channel == Channel::Iopub {
            self.show(&msg_type, &content);
            if indices.is_empty() && OUTPUTS.contains(&msg_type.as_str()) {
                return Ok(());
            }
        }
        let found = indices.iter().filter_map(|&index| buffers.get(index));
        let sent: Vec<_> = found
            .map(|bytes| Uint8Array::from(bytes.as_slice()))
            .collect();
        self.send_with(
            &FromWorker::Publish {
                channel,
                msg_type,
                parent,
                content,
                metadata,
            },
            &sent,
        );
        Ok(())
    }

    /// Adds a message of the iopub channel to its cell's outputs.
    pub(super) fn show(&self, msg_type: &str, content: &Map<String, Value>) {
        let changes = self.outputs.borrow_mut().message(msg_type, content);
        changes.iter().for_each(|change| self.send(change));
    }

    /// Sends what of the outputs was not sent.
    pub(super) fn flush(&self) {
        let rest = self.outputs.borrow_mut().flush();
        rest.iter().for_each(|change| self.send(change));
    }
}
