//! Names in a run: e-mail addresses, hosts, IPv4 addresses.

use std::borrow::Cow;

use super::{Indicator, Scan, tail};
use crate::bytes::{
    self, ALPHANUMERIC, DIGIT, HIGH, HYPHEN, NAME, UNDERSCORE, before, byte, is, rest, slice,
};
use crate::host::{self, Host, Name};
use crate::kind::Kind;
use crate::likely;

/// The longest part of an e-mail address before its `@` (RFC 5321, section 4.5.3.1.1), in bytes.
const LOCAL_BYTES: usize = 64;

impl<'t, F: FnMut(Indicator<'t>)> Scan<'t, F> {
    /// An e-mail address whose part before the `@` ends a run.
    pub(super) fn email(&mut self, end: usize) -> Option<usize> {
        let plain = byte(self.text, end) == b'@';
        let length = match plain {
            true => 1,
            false => host::at_sign(self.text, end),
        };
        let from = end + length;
        if length == 0 || !is(byte(self.text, from), ALPHANUMERIC | HIGH) {
            return None;
        }
        let local = self.local(end)?;
        let (run_end, has) = bytes::run(self.text, from);
        let host = host::read(self.text, from, run_end, has);
        let defanged = !plain || host.defanged;
        let name = host::name_of(&host.text)?;
        let registered = name.registered.map(|at| tail(&name.text, at));
        if self.wanted(local).has(Kind::Email) {
            let whole = from + name.text.len();
            let value = match defanged || matches!(name.text, Cow::Owned(_)) {
                true => Cow::Owned(format!("{}@{}", slice(self.text, local, end), name.text)),
                false => Cow::Borrowed(slice(self.text, local, whole)),
            };
            self.tell_of(Kind::Email, value, registered.clone(), defanged, local);
        }
        if self.wanted(from).has(Kind::Domain) {
            self.tell_of(Kind::Domain, name.text, registered, host.defanged, from);
        }
        self.floor = host.end;
        Some(host.end)
    }

    /// Where the part of an e-mail address before its `@` begins, which is at `end`.
    fn local(&self, end: usize) -> Option<usize> {
        let least = self.floor.max(end.saturating_sub(LOCAL_BYTES));
        let is_local = |byte: u8| is(byte, NAME) && byte < 0x80 || byte == b'+' || byte == b'%';
        let bytes = self.text.as_bytes().get(least..end)?;
        let length = bytes
            .iter()
            .rev()
            .take_while(|byte| is_local(**byte))
            .count();
        let piece = slice(self.text, end - length, end);
        let kept = piece.trim_start_matches(['.', '-', '+', '%']).len();
        let from = self.unescaped(end - kept, end);
        (from < end && is(before(self.text, end), ALPHANUMERIC | UNDERSCORE | HYPHEN))
            .then_some(from)
    }

    /// Past the letter of an escape of JSON, which is not part of the word after it: `\nexample.com`.
    fn unescaped(&self, start: usize, end: usize) -> usize {
        let escape = self.json
            && before(self.text, start) == b'\\'
            && start
                .checked_sub(1)
                .is_some_and(|at| before(self.text, at) != b'\\')
            && matches!(byte(self.text, start), b'n' | b'r' | b't');
        match escape && start < end {
            true => start + 1,
            false => start,
        }
    }

    /// A host's name or addresses in a run with dots.
    pub(super) fn host(&mut self, start: usize, host: &Host<'t>) {
        let wanted = self.wanted(start);
        if wanted.has(Kind::Domain)
            && start >= self.inside.end
            && let Some((name, at)) = self.likely(start, host)
        {
            self.tell_name(name, host.defanged, start + at);
            return;
        }
        if host.has & DIGIT == 0 || !wanted.has(Kind::Ipv4) {
            return;
        }
        match &host.text {
            Cow::Borrowed(run) => {
                for range in host::ipv4(run) {
                    let at = start + range.start;
                    if !self.is_version(at) {
                        let value = slice(self.text, at, start + range.end);
                        self.tell(Kind::Ipv4, Cow::Borrowed(value), false, at);
                    }
                }
            }
            Cow::Owned(run) => {
                let value = run.trim_end_matches(['.', '-', '_']);
                if host::is_ipv4(value) {
                    self.tell(Kind::Ipv4, Cow::Owned(value.to_owned()), true, start);
                }
            }
        }
    }

    /// The first name in a run that is likely meant as a host's, and its offset.
    fn likely(&self, start: usize, host: &Host<'t>) -> Option<(Name<'t>, usize)> {
        let escape = self.escape(start, host.end);
        match &host.text {
            Cow::Borrowed(run) => {
                let run: &'t str = run;
                let run = slice(run, escape, run.len());
                host::first_part(run, host.has, |part, at| {
                    let at = at + escape;
                    let previous = match escape {
                        0 => before(self.text, start),
                        _ => b' ',
                    };
                    likely::is_likely(part, previous, rest(self.text, start + at + part.len()))
                        .then(|| host::name(part))?
                        .map(|name| (name, at))
                })
            }
            Cow::Owned(_) => Some((host::name_of(&host.text)?, 0)),
        }
    }

    /// How many bytes at the start of a run belong to an escape of JSON or of a URL.
    fn escape(&self, start: usize, end: usize) -> usize {
        let hex = |at| byte(self.text, at).is_ascii_hexdigit();
        match before(self.text, start) == b'%' && hex(start) && hex(start + 1) {
            true => 2.min(end - start),
            false => self.unescaped(start, end) - start,
        }
    }

    /// Whether `version` is before a place: `Version=4.0.0.0`.
    fn is_version(&self, at: usize) -> bool {
        let back = (0..4)
            .take_while(|back| {
                at.checked_sub(*back)
                    .is_some_and(|at| b" =:\"'".contains(&before(self.text, at)))
            })
            .count();
        let Some(end) = at.checked_sub(back) else {
            return false;
        };
        ["version", "ver"].iter().any(|word| {
            end.checked_sub(word.len())
                .is_some_and(|start| bytes::stands(self.text, start, word))
        })
    }
}
