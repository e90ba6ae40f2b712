#![allow(clippy::unwrap_used)]
use super::*;

fn query(text: &str) -> Query {
    Query {
        text: text.to_owned(),
        ..Query::default()
    }
}

fn found<'t>(query: &Query, text: &'t str) -> Vec<&'t str> {
    let pattern = Pattern::new(query).unwrap();
    pattern.find_all(text).map(|range| &text[range]).collect()
}

#[test]
fn text_is_found_whatever_its_case() {
    assert_eq!(
        found(&query("schtasks"), "SchTasks schtasks SCHTASKS.exe"),
        ["SchTasks", "schtasks", "SCHTASKS"]
    );
    assert_eq!(found(&query("äpfel"), "ÄPFEL"), ["ÄPFEL"]);
    assert_eq!(found(&query("ПРИВЕТ"), "привет"), ["привет"]);
    assert_eq!(found(&query("a.b"), "a.b axb"), ["a.b"]);
    assert_eq!(
        found(&query("aa"), "aaaa aaa"),
        ["aa", "aa", "aa"],
        "matches do not overlap"
    );
    assert_eq!(found(&query(""), "anything"), [""; 0]);
    assert_eq!(found(&query("ab"), "a"), [""; 0]);
    // In lower case this letter is two characters.
    assert_eq!(found(&query("İx"), "aİX"), ["İX"]);
}

#[test]
fn case_and_whole_words_count_when_asked() {
    let exact = Query {
        case_sensitive: true,
        ..query("Id")
    };
    assert_eq!(found(&exact, "id Id ID UserId"), ["Id", "Id"]);
    let word = Query {
        whole_word: true,
        ..exact.clone()
    };
    assert_eq!(found(&word, "UserId Id _Id Id_ (Id)"), ["Id", "Id"]);
    let call = Query {
        whole_word: true,
        ..query("ago(")
    };
    assert_eq!(
        found(&call, "ago(1d) xago(1d)"),
        ["ago("],
        "an edge that is no letter needs no gap"
    );
}

#[test]
fn regular_expressions() {
    let regex = |text: &str| Query {
        regex: true,
        ..query(text)
    };
    assert_eq!(
        found(&regex(r"^\| where \w+"), "T\n| where a\n| WHERE b"),
        ["| where a", "| WHERE b"]
    );
    let exact = Query {
        case_sensitive: true,
        ..regex("[A-Z]+")
    };
    assert_eq!(found(&exact, "ABc D"), ["AB", "D"]);
    assert_eq!(found(&regex("x*"), "axb"), ["x"], "empty matches are none");
    let error = Pattern::new(&regex("(a")).unwrap_err().to_string();
    assert!(error.starts_with("not a regular expression"), "{error}");
}

#[test]
fn replacing_expands_groups_of_regular_expressions_only() {
    let regex = Query {
        regex: true,
        ..query(r"(\w+)@(?P<host>\w+)")
    };
    let pattern = Pattern::new(&regex).unwrap();
    let (text, count) = pattern.replace_all("a@b, c@d", "${host}.$1");
    assert_eq!((text.as_str(), count), ("b.a, d.c", 2));
    let plain = Pattern::new(&query("a")).unwrap();
    assert_eq!(plain.replace_all("aba", "$1").0, "$1b$1");
    assert_eq!(plain.replace_all("aba", "").0, "b");
    assert_eq!(plain.replace_all("xyz", "q"), ("xyz".to_owned(), 0));
}

#[test]
fn a_group_is_that_of_the_match_in_its_place() {
    let regex = Query {
        regex: true,
        whole_word: true,
        ..query(r"a(b?)")
    };
    let pattern = Pattern::new(&regex).unwrap();
    assert_eq!(pattern.replace_all("abc ab", "<$1>").0, "abc <b>");
}
