//! Sign-ins that their user can hardly have made: from two places too far apart for the time between ([`travel`]), and
//! with an application, country or device that the user does not use ([`rarity`]).

pub mod rarity;
pub mod travel;
pub mod users;

use spoor_plugin::{At, Datetime, Input, Output, Rows, Timespan, function, plugin};

/// A sign-in from somewhere.
#[derive(Input)]
pub struct Somewhere<'a> {
    /// When.
    pub timestamp: Datetime,
    /// Who signed in.
    pub user: &'a str,
    /// Degrees north of the equator, -90 to 90.
    pub latitude: f64,
    /// Degrees east of Greenwich, -180 to 180.
    pub longitude: f64,
}

/// How a user came from the sign-in before to the row's.
#[derive(Clone, Debug, Output, PartialEq)]
pub struct Travel {
    /// When the sign-in before was.
    pub previous_time: Datetime,
    /// Where it was: degrees north.
    pub previous_latitude: f64,
    /// Where it was: degrees east.
    pub previous_longitude: f64,
    /// How far it is as the crow flies, in kilometres.
    pub distance: f64,
    /// How long it took.
    pub took: Timespan,
    /// Kilometres an hour; a second is taken for no time at all.
    pub speed: f64,
    /// The user's sign-ins from within about 50 km of here. Many: an office, a home, a VPN's exit.
    pub here_count: i64,
    /// The user's sign-ins from within about 50 km of the place before.
    pub there_count: i64,
    /// The user's sign-ins.
    pub user_count: i64,
}

/// Sign-ins to which the user would have had to travel faster than one can.
///
/// A row comes back if it is at least `distance` from the user's sign-in before it and faster than `speed`. Rows without a
/// time or a user, which empty text is not, and with a place that is none are left out. Give sign-ins that succeeded:
/// who guesses passwords is not where the user is. Users' names are compared without regard to the case of ASCII letters.
#[function]
pub fn impossible_travel(
    rows: Rows<'_, Somewhere<'_>>,
    /// Kilometres an hour; airliners make about 900.
    #[option(default = 900.0)]
    speed: f64,
    /// Kilometres; addresses are located with errors of a few hundred.
    #[option(default = 500.0)]
    distance: f64,
) -> Result<Vec<At<Travel>>, String> {
    for (name, value) in [("speed", speed), ("distance", distance)] {
        if value.is_nan() || value < 0.0 {
            return Err(format!("{name} is {value}: give 0 or more"));
        }
    }
    let mut found: Vec<At<Travel>> = travel::by_user(rows.iter())
        .into_iter()
        .flat_map(|stops| travel::journeys(stops, speed, distance))
        .collect();
    found.sort_by_key(|at| at.row);
    Ok(found)
}

/// A sign-in and what it was with.
#[derive(Input)]
pub struct With<'a> {
    /// Who signed in.
    pub user: &'a str,
    /// What it was with: a country, say.
    pub first: Option<&'a str>,
    /// What else: an application, say.
    #[input(optional)]
    pub second: Option<&'a str>,
    /// What else: an operating system, say.
    #[input(optional)]
    pub third: Option<&'a str>,
    /// What else: a browser, say.
    #[input(optional)]
    pub fourth: Option<&'a str>,
}

/// How unusual a row is for its user.
#[derive(Clone, Debug, Output, PartialEq)]
pub struct Unusual {
    /// Bits: the sum of what the row's values are unexpected by, given the user's other rows. 0 for what the user always
    /// has; each bit halves the odds.
    pub rarity: f64,
    /// Which of the columns adds most: `first` to `fourth`. Null where none has a value.
    pub rarest: Option<&'static str>,
    /// Bits of that column.
    pub rarest_bits: f64,
    /// The user's other rows with that column's value.
    pub rarest_count: i64,
    /// The user's rows.
    pub user_count: i64,
}

/// How unusual each sign-in's country, application and so on are for its user.
///
/// Every row with a user comes back; empty text is no user and no value. Users' names are compared without regard to the
/// case of ASCII letters, values as they are written. A value that is new to a user counts less where many others have it.
#[function]
pub fn rare_combinations(rows: Rows<'_, With<'_>>) -> Vec<At<Unusual>> {
    let signins: Vec<_> = rows
        .iter()
        .map(|(row, with)| {
            (
                row,
                with.user,
                [with.first, with.second, with.third, with.fourth],
            )
        })
        .collect();
    rarity::unusual(&signins)
}

plugin! {
    name: "signins",
    functions: [impossible_travel, rare_combinations],
}
