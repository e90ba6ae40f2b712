//! `cases.txt`, and texts that nobody would write.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fmt::Write;

use proptest::prelude::*;
use spoor_plugin_indicators::{Indicator, Kind, Kinds, scan};

fn all(text: &str, kinds: Kinds) -> Vec<Indicator<'_>> {
    let mut found = Vec::new();
    scan(text, kinds, |indicator| found.push(indicator));
    found
}

fn told(text: &str) -> String {
    let mut out = String::new();
    for found in all(text, Kinds::ALL) {
        let star = if found.defanged { " *" } else { "" };
        let at = text[..found.start].chars().count();
        write!(out, "{} {}{star} {at}", found.kind.name(), found.value).unwrap();
        if let Some(registered) = &found.registered {
            write!(out, " {registered}").unwrap();
        }
        out.push('\n');
    }
    out
}

/// Rust's escapes of a line.
fn unescaped(line: &str) -> String {
    let mut out = String::new();
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match (letter, letter == '\\') {
            (_, true) => match letters.next() {
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some('u') => {
                    let code: String = letters.by_ref().skip(1).take_while(|l| *l != '}').collect();
                    out.push(u32::from_str_radix(&code, 16).unwrap().try_into().unwrap());
                }
                Some(other) => out.push(other),
                None => {}
            },
            (letter, false) => out.push(letter),
        }
    }
    out
}

#[test]
fn cases_find_what_they_say() {
    let mut cases: Vec<(String, String)> = Vec::new();
    for line in include_str!("cases.txt").lines() {
        if let Some(text) = line.strip_prefix("> ") {
            cases.push((unescaped(text), String::new()));
        } else if !line.is_empty() && !line.starts_with('#') {
            let (_, answer) = cases.last_mut().expect("a text comes first");
            *answer += &(unescaped(line) + "\n");
        }
    }
    let wrong: Vec<String> = cases
        .iter()
        .filter(|(text, answer)| told(text) != *answer)
        .map(|(text, answer)| format!("{text}\nexpected:\n{answer}found:\n{}", told(text)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(cases.len() > 30);
}

#[test]
fn a_kind_is_found_without_the_others() {
    let text = "http://evil.com/a a@b.org 10.0.0.1 C:\\a.exe d41d8cd98f00b204e9800998ecf8427e CVE-2021-44228";
    let every = all(text, Kinds::ALL);
    for kind in Kind::ALL {
        let alone = all(text, Kinds::of(&[kind]));
        let of_all: Vec<_> = every
            .iter()
            .filter(|found| found.kind == kind)
            .cloned()
            .collect();
        assert_eq!(alone, of_all, "{}", kind.name());
    }
}

/// Texts of one piece again and again: what is quadratic takes minutes here.
#[test]
fn long_texts_take_time_in_proportion() {
    for piece in [
        "a",
        ".",
        "-",
        "a.",
        "a@",
        "@",
        "[.]",
        "a[.]",
        "http://",
        "http://a/?",
        "http[://]a",
        ":",
        "::",
        "a:",
        "\\",
        "\\\\",
        "\\\\a\\",
        "C:\\",
        "C:\\ ",
        "C:\\a b\\",
        "C:\\\\",
        "%a%\\",
        "%",
        "/",
        "/tmp/",
        "/tmp/a ",
        "~/",
        "cve-",
        "CVE-2021-",
        "0",
        "deadbeef",
        "\u{e9}",
        "\u{2014}a.com",
        "(",
        "[",
        "http://a((((",
        "{\"\\n",
        " ",
        "a+",
        "a%",
        "$env:",
        "file:///",
        "1.",
        "1.1.1.1",
        "http://a:b@",
        "a.com@",
        "xn--a.",
        " C:\\a",
    ] {
        let text = piece.repeat((1 << 20) / piece.len());
        let began = std::time::Instant::now();
        let found = all(&text, Kinds::ALL);
        // A second and more for a megabyte, where a millisecond is usual, is not linear.
        assert!(began.elapsed().as_secs() < 5, "{piece}");
        let bytes: usize = found.iter().map(|found| found.value.len()).sum();
        assert!(bytes <= 8 * text.len(), "{piece}: {bytes} bytes");
    }
}

proptest! {
    #[test]
    fn any_text_is_read(text in r#"([a-z0-9é.:/\\@%\[\](){}~ "'$-]|http://|hxxp|\[\.\]|C:\\|evil.com|\\\\|/tmp/|CVE-2021-|::|1.2.3.4|a@b.org|\PC){0,40}"#) {
        for found in all(&text, Kinds::ALL) {
            prop_assert!(text.is_char_boundary(found.start));
            prop_assert!(found.start < text.len());
            prop_assert!(!found.value.is_empty());
        }
    }

    #[test]
    fn what_is_found_once_is_found_again(host in "[a-z]{1,9}\\.(com|co\\.uk|de)") {
        for form in [host.clone(), host.to_uppercase(), host.replace('.', "[.]"), format!("({host})")] {
            let found = all(&form, Kinds::of(&[Kind::Domain]));
            prop_assert_eq!(found.len(), 1);
            prop_assert_eq!(&found[0].value, &host);
        }
    }
}
