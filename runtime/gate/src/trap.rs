//! How a call can end other than with an answer, in words that are the same whatever the engine.

use std::fmt;

/// What a metered module's export [`REASON_EXPORT`](crate::REASON_EXPORT) holds after a trap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The plugin's own doing.
    Own,
    /// Fuel ran out.
    Fuel,
    /// The stack ran out.
    Stack,
}

impl Reason {
    /// The reason that the global's value stands for.
    pub const fn from_global(value: i32) -> Self {
        match value {
            FUEL => Reason::Fuel,
            STACK => Reason::Stack,
            _ => Reason::Own,
        }
    }
}

pub(crate) const FUEL: i32 = 1;
pub(crate) const STACK: i32 = 2;

/// How a call trapped. Hosts map their engine's errors to these; where the module's [`Reason`] is not
/// [`Own`](Reason::Own), it decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trap {
    /// The call's fuel ran out.
    Fuel,
    /// Calls lay too deep in one another.
    Stack,
    /// `unreachable`: a panic or an assertion of the plugin.
    Unreachable,
    /// Memory outside the plugin's.
    Memory,
    /// An indirect call outside the table.
    Table,
    /// An indirect call of an empty entry or of a function of another type: V8 does not tell which.
    Signature,
    /// A division by zero.
    DivisionByZero,
    /// An integer division that overflows.
    Overflow,
    /// A float that no integer of the type can hold.
    Conversion,
    /// The deadline passed.
    Deadline,
    /// Anything else that an engine reports.
    Other,
}

impl Trap {
    /// All of them.
    pub const ALL: [Trap; 11] = [
        Trap::Fuel,
        Trap::Stack,
        Trap::Unreachable,
        Trap::Memory,
        Trap::Table,
        Trap::Signature,
        Trap::DivisionByZero,
        Trap::Overflow,
        Trap::Conversion,
        Trap::Deadline,
        Trap::Other,
    ];

    /// The trap of this [`name`](Trap::name).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|trap| trap.name() == name)
    }

    /// The trap's stable name: lower-case words joined by hyphens.
    pub const fn name(self) -> &'static str {
        match self {
            Trap::Fuel => "fuel",
            Trap::Stack => "stack",
            Trap::Unreachable => "unreachable",
            Trap::Memory => "memory",
            Trap::Table => "table",
            Trap::Signature => "signature",
            Trap::DivisionByZero => "division-by-zero",
            Trap::Overflow => "overflow",
            Trap::Conversion => "conversion",
            Trap::Deadline => "deadline",
            Trap::Other => "other",
        }
    }

    /// The trap in the light of the module's own word on it.
    pub const fn because(self, reason: Reason) -> Self {
        match reason {
            Reason::Own => self,
            Reason::Fuel => Trap::Fuel,
            Reason::Stack => Trap::Stack,
        }
    }
}

impl fmt::Display for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Trap::Fuel => "the plugin ran out of fuel: give it fewer rows or more fuel",
            Trap::Stack => {
                "the plugin's calls lie too deep: it recurses without end, or needs a larger stack"
            }
            Trap::Unreachable => "the plugin gave up (a panic): tell its author what it was given",
            Trap::Memory => {
                "the plugin reached outside its memory: tell its author what it was given"
            }
            Trap::Table => "the plugin called a function that is not in its table",
            Trap::Signature => {
                "the plugin called an empty entry of its table, or a function of another type"
            }
            Trap::DivisionByZero => "the plugin divided by zero",
            Trap::Overflow => "a division in the plugin overflowed",
            Trap::Conversion => "the plugin made an integer of a number that has none",
            Trap::Deadline => "the plugin took too long: give it fewer rows or more time",
            Trap::Other => "the engine stopped the plugin",
        })
    }
}
