//! `poll_oneoff`: what sleeping comes down to.
//!
//! wasmtime-wasi sleeps in one piece, past every interrupt and limit. Here a wait is made of
//! short ones. Files and streams are always ready, so a wait that includes one is over at once,
//! and is left to wasmtime-wasi.

use std::thread;
use std::time::{Duration, Instant};

use wasmtime::{Caller, Linker, Memory};
use wasmtime_wasi::p1::types::Clockid;
use wasmtime_wasi::p1::wasi_snapshot_preview1::{self as preview1, WasiSnapshotPreview1};

use super::super::instance::{State, heed};
use super::{MODULE, errno, finish, memory_of, parts, u32_at, u64_at};

/// How long an interrupt waits for a sleep to heed it.
const SLICE: Duration = Duration::from_millis(20);
/// The most subscriptions of one call.
const MOST: u32 = 1 << 16;
/// The bytes of a subscription, and of an event.
const SUBSCRIPTION: usize = 48;
const EVENT: usize = 32;

pub fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    linker.func_wrap(MODULE, "poll_oneoff", poll_oneoff)?;
    Ok(())
}

/// A timer that the guest waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Timer {
    userdata: u64,
    clock: Clock,
    /// Nanoseconds: from now, or by the clock if `absolute`.
    timeout: u64,
    absolute: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Clock {
    Realtime,
    Monotonic,
}

/// What one call waits for.
#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    /// Timers and nothing else.
    Timers(Vec<Timer>),
    /// A file or stream is among them.
    Ready,
}

fn poll_oneoff(
    mut caller: Caller<'_, State>,
    subscriptions: u32,
    events: u32,
    count: u32,
    stored: u32,
) -> wasmtime::Result<i32> {
    let memory = memory_of(&mut caller)?;
    let bytes = memory.data(&caller);
    let timers = match wanted(bytes, subscriptions, count) {
        Ok(Wanted::Timers(timers)) => timers,
        Ok(Wanted::Ready) => return plain(&mut caller, subscriptions, events, count, stored),
        Err(errno) => return Ok(errno),
    };
    if !holds(bytes, events, timers.len() * EVENT) || !holds(bytes, stored, 4) {
        return Ok(errno::FAULT);
    }
    let ends = ends(&mut caller, &timers)?;
    let interrupted = wait(&mut caller, memory, ends.iter().flatten().min().copied())?;
    let fired = fired(&timers, &ends, interrupted);
    Ok(tell(memory.data_mut(&mut caller), events, stored, &fired))
}

/// wasmtime-wasi's own.
fn plain(
    caller: &mut Caller<'_, State>,
    subscriptions: u32,
    events: u32,
    count: u32,
    stored: u32,
) -> wasmtime::Result<i32> {
    let (mut memory, system) = parts(caller)?;
    let [subscriptions, events, count, stored] =
        [subscriptions, events, count, stored].map(u32::cast_signed);
    let call = preview1::poll_oneoff(
        &mut system.ctx,
        &mut memory,
        subscriptions,
        events,
        count,
        stored,
    );
    finish(call)
}

/// Reads the subscriptions.
fn wanted(bytes: &[u8], at: u32, count: u32) -> Result<Wanted, i32> {
    match count {
        0 => return Err(errno::INVAL),
        1..=MOST => {}
        _ => return Err(errno::NOMEM),
    }
    let len = count as usize * SUBSCRIPTION;
    let list = (at as usize)
        .checked_add(len)
        .and_then(|end| bytes.get(at as usize..end))
        .ok_or(errno::FAULT)?;
    let mut timers = Vec::new();
    for subscription in list.chunks_exact(SUBSCRIPTION) {
        match timer(subscription)? {
            Some(timer) => timers.push(timer),
            None => return Ok(Wanted::Ready),
        }
    }
    Ok(Wanted::Timers(timers))
}

/// One subscription: its timer, or none if it is for a file or stream.
fn timer(subscription: &[u8]) -> Result<Option<Timer>, i32> {
    let word = |at| u32_at(subscription, at).ok_or(errno::FAULT);
    let long = |at| u64_at(subscription, at).ok_or(errno::FAULT);
    // A tag and flags have a byte and two of their own; what is beside them is padding.
    match word(8)? & 0xff {
        0 => {}
        1 | 2 => return Ok(None),
        _ => return Err(errno::INVAL),
    }
    let clock = match word(16)? {
        0 => Clock::Realtime,
        1 => Clock::Monotonic,
        _ => return Err(errno::INVAL),
    };
    let flags = word(40)? & 0xffff;
    if flags & !1 != 0 {
        return Err(errno::INVAL);
    }
    Ok(Some(Timer {
        userdata: long(0)?,
        clock,
        timeout: long(24)?,
        absolute: flags == 1,
    }))
}

fn holds(bytes: &[u8], at: u32, len: usize) -> bool {
    (at as usize)
        .checked_add(len)
        .is_some_and(|end| end <= bytes.len())
}

/// When each timer ends; none for one that is further off than this clock goes.
fn ends(
    caller: &mut Caller<'_, State>,
    timers: &[Timer],
) -> wasmtime::Result<Vec<Option<Instant>>> {
    let now = Instant::now();
    let mut ends = Vec::with_capacity(timers.len());
    for timer in timers {
        let left = if timer.absolute {
            timer.timeout.saturating_sub(time(caller, timer.clock)?)
        } else {
            timer.timeout
        };
        ends.push(now.checked_add(Duration::from_nanos(left)));
    }
    Ok(ends)
}

/// What the guest's clock shows, in nanoseconds.
fn time(caller: &mut Caller<'_, State>, clock: Clock) -> wasmtime::Result<u64> {
    let (mut memory, system) = parts(caller)?;
    let id = match clock {
        Clock::Realtime => Clockid::Realtime,
        Clock::Monotonic => Clockid::Monotonic,
    };
    let shown = system.ctx.clock_time_get(&mut memory, id, 0);
    shown.map_err(|error| wasmtime::format_err!("the guest's clock stands still: {error}"))
}

/// Waits until `end`, or until an interrupt: true for that. Stops the turn where that is due.
fn wait(
    caller: &mut Caller<'_, State>,
    memory: Memory,
    end: Option<Instant>,
) -> wasmtime::Result<bool> {
    loop {
        if heed(caller, memory)? {
            return Ok(true);
        }
        let left = end.map_or(SLICE, |end| end.saturating_duration_since(Instant::now()));
        if left.is_zero() {
            return Ok(false);
        }
        thread::sleep(left.min(SLICE));
    }
}

/// The timers that have gone off. After an interrupt it is the first that would have, since the
/// guest's C library knows no sleep that ends early: it takes an errno for a clock that is not
/// there. Python looks for the interrupt when it has slept.
fn fired(timers: &[Timer], ends: &[Option<Instant>], interrupted: bool) -> Vec<Timer> {
    let now = Instant::now();
    let both = || timers.iter().copied().zip(ends.iter().copied());
    let fired: Vec<_> = both()
        .filter(|(_, end)| end.is_some_and(|end| end <= now))
        .map(|(timer, _)| timer)
        .collect();
    if !fired.is_empty() || !interrupted {
        return fired;
    }
    let first = both().min_by_key(|(_, end)| (end.is_none(), *end));
    first.map(|(timer, _)| timer).into_iter().collect()
}

/// Writes the events and their number.
fn tell(bytes: &mut [u8], events: u32, stored: u32, fired: &[Timer]) -> i32 {
    let list = bytes
        .get_mut(events as usize..)
        .into_iter()
        .flat_map(|list| list.chunks_exact_mut(EVENT));
    // An event is all zeros but for its userdata: no error, of a clock.
    for (event, timer) in list.zip(fired) {
        event.fill(0);
        event[..8].copy_from_slice(&timer.userdata.to_le_bytes());
    }
    let Some(number) = bytes
        .get_mut(stored as usize..)
        .and_then(|rest| rest.get_mut(..4))
    else {
        return errno::FAULT;
    };
    number.copy_from_slice(&(fired.len() as u32).to_le_bytes());
    errno::SUCCESS
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn subscription(tag: u8, clock: u32, timeout: u64, flags: u16) -> [u8; SUBSCRIPTION] {
        let mut bytes = [0xee; SUBSCRIPTION];
        bytes[..8].copy_from_slice(&7u64.to_le_bytes());
        bytes[8] = tag;
        bytes[16..20].copy_from_slice(&clock.to_le_bytes());
        bytes[24..32].copy_from_slice(&timeout.to_le_bytes());
        bytes[40..42].copy_from_slice(&flags.to_le_bytes());
        bytes
    }

    fn one(tag: u8, clock: u32, timeout: u64, flags: u16) -> Result<Wanted, i32> {
        wanted(&subscription(tag, clock, timeout, flags), 0, 1)
    }

    #[test]
    fn subscriptions_are_read() {
        let timer = |clock, absolute| {
            Ok(Wanted::Timers(vec![Timer {
                userdata: 7,
                clock,
                timeout: 5,
                absolute,
            }]))
        };
        assert_eq!(one(0, 0, 5, 0), timer(Clock::Realtime, false));
        assert_eq!(one(0, 1, 5, 1), timer(Clock::Monotonic, true));
        assert_eq!(one(1, 0, 5, 0), Ok(Wanted::Ready));
        assert_eq!(one(2, 9, 5, 9), Ok(Wanted::Ready));
    }

    #[test]
    fn nonsense_is_an_errno() {
        assert_eq!(one(3, 0, 5, 0), Err(errno::INVAL));
        assert_eq!(one(0, 2, 5, 0), Err(errno::INVAL));
        assert_eq!(one(0, 0, 5, 2), Err(errno::INVAL));
        let bytes = [0; 100];
        assert_eq!(wanted(&bytes, 0, 0), Err(errno::INVAL));
        assert_eq!(wanted(&bytes, 0, u32::MAX), Err(errno::NOMEM));
        for (at, count) in [(0, 3), (53, 1), (u32::MAX, 1), (99, MOST)] {
            assert_eq!(wanted(&bytes, at, count), Err(errno::FAULT));
        }
    }

    #[test]
    fn an_interrupt_lets_the_first_timer_go_off() {
        let timer = |userdata| Timer {
            userdata,
            clock: Clock::Monotonic,
            timeout: 0,
            absolute: false,
        };
        let soon = Instant::now() + Duration::from_secs(60);
        let timers = [timer(1), timer(2), timer(3)];
        let ends = [None, Some(soon + Duration::from_secs(1)), Some(soon)];
        assert_eq!(fired(&timers, &ends, false), []);
        assert_eq!(fired(&timers, &ends, true), [timer(3)]);
        assert_eq!(fired(&timers[..1], &ends[..1], true), [timer(1)]);
        let past = [None, Some(Instant::now()), None];
        assert_eq!(fired(&timers, &past, false), [timer(2)]);
    }

    #[test]
    fn events_are_written_or_not_at_all() {
        let timer = Timer {
            userdata: 0x0807_0605_0403_0201,
            clock: Clock::Monotonic,
            timeout: 0,
            absolute: false,
        };
        let mut bytes = [0xff; 64];
        assert_eq!(tell(&mut bytes, 8, 4, &[timer]), errno::SUCCESS);
        assert_eq!(bytes[4..16], [1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(bytes[16..40], [0; 24]);
        assert_eq!(bytes[40..], [0xff; 24]);
        for stored in [61, 64, u32::MAX] {
            assert_eq!(tell(&mut bytes, 8, stored, &[timer]), errno::FAULT);
        }
    }
}
