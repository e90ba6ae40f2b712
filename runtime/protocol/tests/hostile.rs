//! Bytes that are no frames, or lie about what they hold: an error each, never a panic, and never
//! more memory than the bytes themselves account for.

#![allow(clippy::unwrap_used)]

mod samples;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use spoor_protocol::{Effects, Event, Frame, FrameError, MAX_BUFFERS, MAX_HEADER};

/// How many mutated frames are tried.
const MUTATIONS: usize = 20_000;

/// Numbers that only depend on the seed (splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }
}

/// A frame's bytes with these figures in its prologue, whatever follows.
fn claims(header: u32, buffers: u32, rest: &[u8]) -> Vec<u8> {
    [
        &b"SPR1"[..],
        &header.to_le_bytes(),
        &buffers.to_le_bytes(),
        rest,
    ]
    .concat()
}

#[test]
fn every_truncation_of_every_message_is_an_error() {
    for event in samples::all_events() {
        let bytes = Frame::with(event, vec![vec![1; 5], vec![2; 8]])
            .encode()
            .unwrap();
        for len in 0..bytes.len() {
            assert!(Frame::<Event>::decode(&bytes[..len]).is_err());
        }
    }
    let bytes = Frame::with(samples::all_effects(), samples::buffers())
        .encode()
        .unwrap();
    for len in 0..bytes.len() {
        assert!(Frame::<Effects>::decode(&bytes[..len]).is_err());
    }
}

#[test]
fn figures_over_the_limit_are_named() {
    let header = MAX_HEADER as u32 + 1;
    let buffers = MAX_BUFFERS as u32 + 1;
    for (bytes, what) in [
        (claims(header, 0, b""), "header"),
        (claims(u32::MAX, 0, b""), "header"),
        (claims(0, buffers, b""), "number of buffers"),
        (claims(0, u32::MAX, b""), "number of buffers"),
    ] {
        match Frame::<Value>::decode(&bytes) {
            Err(FrameError::TooLarge { what: named, .. }) => assert_eq!(named, what),
            other => panic!("{what}: {other:?}"),
        }
    }
}

#[test]
fn figures_within_the_limit_that_lie_are_a_frame_cut_short() {
    let longest = u32::MAX.to_le_bytes();
    for (bytes, part) in [
        (claims(MAX_HEADER as u32, 0, b"{}"), "header"),
        (claims(3, 0, b"{}"), "header"),
        (claims(2, MAX_BUFFERS as u32, b"{}"), "buffer lengths"),
        (claims(2, 2, &[0, 0, 0, 0]), "buffer lengths"),
        (claims(2, 1, &[&longest[..], b"{}"].concat()), "padding"),
        (
            claims(2, 1, &[&longest[..], b"{}", &[0; 6]].concat()),
            "buffers",
        ),
        // Two lengths whose sum is past what an address of 32 bits can say.
        (
            claims(
                2,
                2,
                &[&[4, 0, 0, 0], &longest[..], b"{}\0\0", b"1234"].concat(),
            ),
            "padding",
        ),
        (b"SPR1".to_vec(), "header length"),
        (b"SPR1\x02\0\0\0".to_vec(), "buffer count"),
        (b"SPR".to_vec(), "magic"),
        (vec![], "magic"),
    ] {
        match Frame::<Value>::decode(&bytes) {
            Err(FrameError::Truncated(named)) => assert_eq!(named, part, "{bytes:?}"),
            other => panic!("{part}: {other:?}"),
        }
    }
}

#[test]
fn other_magic_and_headers_that_are_no_text_are_refused() {
    let whole = Frame::new(Event::Continue).encode().unwrap();
    for at in 0..4 {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x20;
        assert!(matches!(
            Frame::<Event>::decode(&bytes),
            Err(FrameError::Magic)
        ));
    }
    for header in [&b"\xff\xfe{}"[..], b"{\"a\":\"\xc3\"}", b"{", b"", b"{} {}"] {
        let bytes = claims(header.len() as u32, 0, header);
        assert!(matches!(
            Frame::<Value>::decode(&bytes),
            Err(FrameError::Header(_))
        ));
    }
}

#[test]
fn a_header_that_nests_without_end_does_not_end_the_stack() {
    for (open, close) in [("[", "]"), ("{\"options\":", "}")] {
        let deep = open.repeat(500_000) + "1" + &close.repeat(500_000);
        for header in [
            deep.clone(),
            format!(r#"{{"event":"open","options":{{"a":{deep}}}}}"#),
            format!(r#"[{{"effect":"publish","content":{{"a":{deep}}}}}]"#),
        ] {
            let bytes = claims(header.len() as u32, 0, header.as_bytes());
            assert!(Frame::<Value>::decode(&bytes).is_err());
            assert!(Frame::<Event>::decode(&bytes).is_err());
            assert!(Frame::<Effects>::decode(&bytes).is_err());
        }
    }
}

#[test]
fn a_buffer_that_is_not_there_is_named() {
    let frame = Frame::with((), vec![vec![7]]);
    assert_eq!(frame.buffer(0).unwrap(), [7]);
    for index in [1, usize::MAX] {
        let error = frame.buffer(index).unwrap_err().to_string();
        assert_eq!(
            error,
            format!("the frame has 1 buffers; its header names buffer {index}")
        );
    }
}

#[test]
fn more_buffers_than_the_limit_are_not_written() {
    let most = Frame::with((), vec![vec![]; MAX_BUFFERS]).encode().unwrap();
    assert_eq!(
        Frame::<()>::decode(&most).unwrap().buffers.len(),
        MAX_BUFFERS
    );
    assert!(
        Frame::with((), vec![vec![]; MAX_BUFFERS + 1])
            .encode()
            .is_err()
    );
}

#[test]
fn thousands_of_mutations_end_in_an_error_or_a_frame() {
    let mut random = Random(2026);
    let whole: Vec<Vec<u8>> = samples::all_events()
        .into_iter()
        .map(|event| {
            Frame::with(event, vec![vec![3; 11], vec![]])
                .encode()
                .unwrap()
        })
        .chain(samples::all_effects().into_iter().map(|effect| {
            Frame::with(vec![effect], vec![vec![3; 11]])
                .encode()
                .unwrap()
        }))
        .collect();
    let mut refused = 0;
    for _ in 0..MUTATIONS {
        let mut bytes = whole[random.below(whole.len())].clone();
        for _ in 0..=random.below(4) {
            mutate(&mut bytes, &mut random);
        }
        refused += usize::from(!accepted::<Event>(&bytes));
        refused += usize::from(!accepted::<Effects>(&bytes));
        accepted::<Value>(&bytes);
    }
    // Each frame is of one kind, so one of the two refuses it in any case.
    assert!(
        (MUTATIONS + MUTATIONS / 2..2 * MUTATIONS).contains(&refused),
        "{refused} of {MUTATIONS} refused: the mutations do not test both ways"
    );
}

/// Whether the bytes are a frame of `T`. If so it holds no more than they do, and can be written
/// and read again.
fn accepted<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> bool {
    let Ok(frame) = Frame::<T>::decode(bytes) else {
        return false;
    };
    assert!(frame.buffers.iter().map(Vec::len).sum::<usize>() <= bytes.len());
    let again = Frame::<T>::decode(&frame.encode().unwrap()).unwrap();
    assert_eq!(again.buffers, frame.buffers);
    true
}

fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    const FIGURES: [u32; 9] = [
        0,
        1,
        7,
        0x7fff_ffff,
        0x8000_0000,
        0xffff_fff8,
        u32::MAX,
        MAX_BUFFERS as u32,
        MAX_HEADER as u32,
    ];
    let at = random.below(bytes.len());
    match random.below(7) {
        0 if !bytes.is_empty() => bytes[at] ^= 1 << random.below(8),
        1 if !bytes.is_empty() => bytes[at] = random.next() as u8,
        2 => bytes.truncate(at),
        3 => bytes.insert(at, random.next() as u8),
        4 => {
            let part = bytes[at..].to_vec();
            bytes.extend(part);
        }
        // A figure of the prologue or of the table of lengths.
        5 => {
            let at = 4 * (1 + random.below(4));
            if let Some(word) = bytes.get_mut(at..at + 4) {
                word.copy_from_slice(&FIGURES[random.below(FIGURES.len())].to_le_bytes());
            }
        }
        _ => {
            let end = (at + random.below(16)).min(bytes.len());
            bytes.drain(at..end);
        }
    }
}
