//! How unusual a row's values are for its user.
//!
//! A value's probability for a user is its share of the user's other rows, drawn towards its share of everyone's rows by the
//! weight of one row (additive smoothing with a prior, as with a Dirichlet's). So a new value costs a user with many rows
//! more than one with few, and a value that all others have costs less than one that nobody has. Bits of the columns add
//! up as if they were independent.

use std::collections::HashMap;

use spoor_plugin::At;

use crate::Unusual;
use crate::users::Users;

/// The columns' names.
const NAMES: [&str; 4] = ["first", "second", "third", "fourth"];

/// How many of the user's rows everyone's rows count as.
const PRIOR: f64 = 1.0;

/// A row: its number, its user, its values.
pub type Signin<'a> = (u32, &'a str, [Option<&'a str>; 4]);

/// What was counted. Texts are numbers in it, in the order in which they first come.
#[derive(Default)]
struct Counts<'a> {
    users: Vec<User>,
    columns: [Column<'a>; 4],
    rows: Vec<Row>,
}

/// A user's rows: all, and those with a value in each column.
#[derive(Default)]
struct User {
    rows: i64,
    known: [f64; 4],
}

/// A column's values.
#[derive(Default)]
struct Column<'a> {
    numbers: HashMap<&'a str, usize>,
    /// The rows of each value, and of all.
    rows: Vec<f64>,
    all: f64,
    /// A user with a value, and the rows of each such pair.
    pairs: HashMap<(usize, usize), usize>,
    of_pair: Vec<f64>,
}

/// A row: its number, its user, and of each column its value and the pair of both.
struct Row {
    row: u32,
    user: usize,
    values: [Option<(usize, usize)>; 4],
}

/// Each row that has a user, with how unusual it is. Empty text is none.
pub fn unusual(signins: &[Signin<'_>]) -> Vec<At<Unusual>> {
    let counts = count(signins);
    let at = |row: &Row| At {
        row: row.row,
        value: counts.of(row),
    };
    counts.rows.iter().map(at).collect()
}

fn count<'a>(signins: &[Signin<'a>]) -> Counts<'a> {
    let mut counts = Counts::default();
    let mut users = Users::default();
    for (row, name, texts) in signins {
        let Some(number) = users.number(name) else {
            continue;
        };
        if number == counts.users.len() {
            counts.users.push(User::default());
        }
        let Some(user) = counts.users.get_mut(number) else {
            continue;
        };
        user.rows += 1;
        let mut values = [None; 4];
        let columns = counts.columns.iter_mut().zip(&mut user.known);
        for ((text, value), (column, known)) in texts.iter().zip(&mut values).zip(columns) {
            let text = text.filter(|text| !text.is_empty());
            *value = text.map(|text| column.count(number, text));
            *known += f64::from(u8::from(text.is_some()));
        }
        counts.rows.push(Row {
            row: *row,
            user: number,
            values,
        });
    }
    counts
}

impl<'a> Column<'a> {
    /// Counts a value of a user; the numbers of the value and of the pair.
    fn count(&mut self, user: usize, text: &'a str) -> (usize, usize) {
        let next = self.numbers.len();
        let value = *self.numbers.entry(text).or_insert(next);
        let next = self.pairs.len();
        let pair = *self.pairs.entry((user, value)).or_insert(next);
        self.all += 1.0;
        for (counts, at) in [(&mut self.rows, value), (&mut self.of_pair, pair)] {
            match counts.get_mut(at) {
                Some(count) => *count += 1.0,
                None => counts.push(1.0),
            }
        }
        (value, pair)
    }

    /// Bits by which a value is unexpected for a user with so many known rows, and the user's other rows with it.
    fn bits(&self, known: f64, value: usize, pair: usize) -> (f64, f64) {
        let others = |counts: &[f64], at: usize| counts.get(at).map_or(0.0, |count| count - 1.0);
        let with_value = others(&self.of_pair, pair);
        // Everyone's share, with one row more for each value so that none is 0.
        let all = self.all - 1.0 + self.rows.len() as f64;
        let share = (others(&self.rows, value) + 1.0) / all;
        let likely = (with_value + PRIOR * share) / (known - 1.0 + PRIOR);
        ((-likely.log2()).max(0.0), with_value)
    }
}

impl Counts<'_> {
    fn of(&self, row: &Row) -> Unusual {
        let user = self.users.get(row.user);
        let mut unusual = Unusual {
            rarity: 0.0,
            rarest: None,
            rarest_bits: 0.0,
            rarest_count: 0,
            user_count: user.map_or(0, |user| user.rows),
        };
        let known = user.map_or([1.0; 4], |user| user.known);
        let columns = NAMES.into_iter().zip(&self.columns).zip(known);
        for (((name, column), known), value) in columns.zip(row.values) {
            let Some((value, pair)) = value else { continue };
            let (bits, others) = column.bits(known, value, pair);
            unusual.rarity += bits;
            if unusual.rarest.is_none() || bits > unusual.rarest_bits {
                unusual.rarest = Some(name);
                unusual.rarest_bits = bits;
                unusual.rarest_count = others as i64;
            }
        }
        unusual
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(of: &[(&'static str, &'static str, usize)]) -> Vec<Unusual> {
        let all = of
            .iter()
            .flat_map(|(user, value, count)| vec![(*user, *value); *count]);
        let signins: Vec<Signin<'_>> = all
            .zip(0..)
            .map(|((user, value), row)| (row, user, [Some(value), None, None, None]))
            .collect();
        unusual(&signins).into_iter().map(|at| at.value).collect()
    }

    #[test]
    fn what_a_user_always_has_is_usual() {
        let found = rows(&[("ann", "de", 50)]);
        assert!(found.iter().all(|unusual| unusual.rarity < 0.1));
    }

    #[test]
    fn what_is_new_to_a_user_is_unusual_and_more_so_if_nobody_has_it() {
        let found = rows(&[
            ("ann", "de", 50),
            ("bob", "fr", 50),
            ("ann", "fr", 1),
            ("ann", "kp", 1),
        ]);
        let (common, unknown) = (&found[100], &found[101]);
        assert!(common.rarity > 5.0, "{common:?}");
        assert!(unknown.rarity > common.rarity + 3.0, "{unknown:?}");
        assert_eq!(
            (unknown.rarest, unknown.rarest_count, unknown.user_count),
            (Some("first"), 0, 52)
        );
    }

    #[test]
    fn columns_add_up_and_nulls_add_nothing() {
        let both = [
            (0, "ann", [Some("de"), Some("x"), None, None]),
            (1, "ann", [None; 4]),
        ];
        let found = unusual(&both);
        assert_eq!(found[1].value.rarity, 0.0);
        assert_eq!(found[1].value.rarest, None);
        assert!(unusual(&[]).is_empty());
    }

    #[test]
    fn empty_text_is_none() {
        let with = |row, user, first| (row, user, [Some(first), None, None, None]);
        let nulls = unusual(&[
            (0, "ann", [None; 4]),
            with(1, "ann", "de"),
            with(2, "ann", "fr"),
        ]);
        let rows = [
            with(9, "", "de"),
            with(0, "ann", ""),
            with(1, "ann", "de"),
            with(2, "ann", "fr"),
        ];
        let found = unusual(&rows);
        assert_eq!(found, nulls);
        assert_eq!(found[0].value.rarest, None);
    }

    #[test]
    fn users_are_the_same_in_either_case() {
        let found = rows(&[("ann@x.example", "de", 3), ("Ann@X.example", "de", 1)]);
        assert!(found.iter().all(|unusual| unusual.user_count == 4));
        assert_eq!(found[3].rarest_count, 3);
    }
}
