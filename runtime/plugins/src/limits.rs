//! What a call may use: the defaults, what the manifest asks for, and what the user says.

use std::time::Duration;

use spoor_gate::MAX_FUEL;
use spoor_plugin_abi::{
    DEFAULT_FUEL, DEFAULT_FUEL_PER_ROW, DEFAULT_MEMORY, DEFAULT_OUTPUT, DEFAULT_WALL,
    Limits as Asked,
};

/// What one call may use at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Instructions.
    pub fuel: u64,
    /// Instructions that are added for each row of the input; see [`Limits::for_rows`].
    pub fuel_per_row: u64,
    /// Linear memory, in bytes.
    pub memory: u64,
    /// The answer, in bytes.
    pub output: u64,
    /// Time from the instance's making to the answer.
    pub wall: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            fuel: DEFAULT_FUEL,
            fuel_per_row: DEFAULT_FUEL_PER_ROW,
            memory: DEFAULT_MEMORY,
            output: DEFAULT_OUTPUT,
            wall: Duration::from_millis(DEFAULT_WALL),
        }
    }
}

/// What the user says of a call's limits. What is left out is the manifest's wish where that is below the default, and
/// else the default: no manifest raises a limit by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// Instructions.
    pub fuel: Option<u64>,
    /// Linear memory, in bytes.
    pub memory: Option<u64>,
    /// The answer, in bytes.
    pub output: Option<u64>,
    /// Time.
    pub wall: Option<Duration>,
}

impl Limits {
    /// The limits of a plugin whose manifest asks for these.
    pub fn of(asked: &Asked, wish: &Wish) -> Self {
        let usual = Limits::default();
        let no_more = |asked: Option<u64>, usual: u64| asked.unwrap_or(usual).min(usual);
        let wall = asked.wall.map_or(usual.wall, Duration::from_millis);
        let is_said = wish.fuel.is_some() || asked.fuel.is_some_and(|fuel| fuel < usual.fuel);
        Limits {
            fuel: wish
                .fuel
                .unwrap_or(no_more(asked.fuel, usual.fuel))
                .min(MAX_FUEL),
            fuel_per_row: if is_said { 0 } else { usual.fuel_per_row },
            memory: wish
                .memory
                .unwrap_or(no_more(asked.memory, usual.memory))
                .min(4 << 30),
            output: wish.output.unwrap_or(no_more(asked.output, usual.output)),
            wall: wish.wall.unwrap_or(wall.min(usual.wall)),
        }
    }

    /// The limits of a call whose input has so many rows: an analytic that does so much for each row is not out of fuel because
    /// there are many of them. The wall's time stays what it is.
    pub fn for_rows(&self, rows: u64) -> Self {
        let more = rows.saturating_mul(self.fuel_per_row);
        Limits {
            fuel: self.fuel.saturating_add(more).min(MAX_FUEL),
            ..*self
        }
    }

    /// What a manifest asks for beyond the defaults, in words: `fuel 5000000000`.
    pub fn beyond(asked: &Asked) -> Vec<String> {
        let wishes = [
            ("fuel", asked.fuel, DEFAULT_FUEL),
            ("memory", asked.memory, DEFAULT_MEMORY),
            ("output", asked.output, DEFAULT_OUTPUT),
            ("wall", asked.wall, DEFAULT_WALL),
        ];
        wishes
            .into_iter()
            .filter_map(|(name, asked, usual)| {
                asked
                    .filter(|asked| *asked > usual)
                    .map(|asked| format!("{name} {asked}"))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_lowers_and_a_user_raises() {
        let asked = Asked {
            fuel: Some(10),
            memory: Some(1 << 40),
            ..Asked::default()
        };
        let limits = Limits::of(&asked, &Wish::default());
        assert_eq!((limits.fuel, limits.memory), (10, DEFAULT_MEMORY));
        let wish = Wish {
            fuel: Some(u64::MAX),
            memory: Some(512 << 20),
            ..Wish::default()
        };
        let limits = Limits::of(&asked, &wish);
        assert_eq!((limits.fuel, limits.memory), (MAX_FUEL, 512 << 20));
        assert_eq!(Limits::beyond(&asked), ["memory 1099511627776"]);
    }

    #[test]
    fn rows_bring_fuel_unless_somebody_said_how_much() {
        let usual = Limits::default().for_rows(1_000_000);
        assert_eq!(usual.fuel, DEFAULT_FUEL + 1_000_000 * DEFAULT_FUEL_PER_ROW);
        assert_eq!(Limits::default().for_rows(u64::MAX).fuel, MAX_FUEL);
        let lowered = Asked {
            fuel: Some(10),
            ..Asked::default()
        };
        let said = Wish {
            fuel: Some(20),
            ..Wish::default()
        };
        for (asked, wish, fuel) in [
            (&lowered, &Wish::default(), 10),
            (&Asked::default(), &said, 20),
        ] {
            assert_eq!(Limits::of(asked, wish).for_rows(1 << 40).fuel, fuel);
        }
    }
}
