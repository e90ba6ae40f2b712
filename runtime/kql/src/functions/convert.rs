//! `convert_*`: measures from one unit to another. A unit is a name and how many of the base unit it is; what no unit is called gives
//! null.

use spoor_table::{Cell, KustoType};

use super::args::{P, fixed};
use super::udf::{Body, Out, RowFn};
use super::{Bound, function_table};
use crate::typed::{BindContext, Typed};

type Units = &'static [(&'static str, f64)];

function_table! {
    "convert_angle", "convert_angle(value, from, to)", "An angle in another unit, for example from 'Degree' to 'Radian'.", |c, a| measure(c, a, "convert_angle", |c, o| convert(c, o, ANGLE));
    "convert_energy", "convert_energy(value, from, to)", "An energy in another unit, for example from 'Joule' to 'KilowattHour'.", |c, a| measure(c, a, "convert_energy", |c, o| convert(c, o, ENERGY));
    "convert_force", "convert_force(value, from, to)", "A force in another unit, for example from 'Newton' to 'PoundForce'.", |c, a| measure(c, a, "convert_force", |c, o| convert(c, o, FORCE));
    "convert_length", "convert_length(value, from, to)", "A length in another unit, for example from 'Meter' to 'Mile'.", |c, a| measure(c, a, "convert_length", |c, o| convert(c, o, LENGTH));
    "convert_mass", "convert_mass(value, from, to)", "A mass in another unit, for example from 'Kilogram' to 'Pound'.", |c, a| measure(c, a, "convert_mass", |c, o| convert(c, o, MASS));
    "convert_speed", "convert_speed(value, from, to)", "A speed in another unit, for example from 'KilometerPerHour' to 'Knot'.", |c, a| measure(c, a, "convert_speed", |c, o| convert(c, o, SPEED));
    "convert_temperature", "convert_temperature(value, from, to)", "A temperature on another scale, for example from 'DegreeCelsius' to 'Kelvin'.", |c, a| measure(c, a, "convert_temperature", temperature);
    "convert_volume", "convert_volume(value, from, to)", "A volume in another unit, for example from 'CubicMeter' to 'Liter'.", |c, a| measure(c, a, "convert_volume", |c, o| convert(c, o, VOLUME));
}

fn measure(ctx: &BindContext, args: &[Typed], name: &'static str, run: RowFn) -> Bound {
    fixed(
        ctx,
        args,
        name,
        &[P::Real, P::Text, P::Text],
        KustoType::Real,
        Body::Strict(run),
    )
}

fn convert(cells: &[Cell<'_>], out: &mut Out, units: Units) {
    let factor = |cell: &Cell<'_>| match cell {
        Cell::String(name) => units.iter().find(|(unit, _)| unit == name).map(|(_, f)| *f),
        _ => None,
    };
    let value = match (&cells[0], factor(&cells[1]), factor(&cells[2])) {
        (Cell::Real(value), Some(from), Some(to)) => Some(value * from / to),
        _ => None,
    };
    out.maybe(value, Out::real);
}

/// Scales of temperature: how many kelvins a degree is, and the kelvins at zero.
const TEMPERATURE: &[(&str, f64, f64)] = &[
    ("Kelvin", 1.0, 0.0),
    ("DegreeCelsius", 1.0, 273.15),
    ("DegreeDelisle", -2.0 / 3.0, 373.15),
    ("DegreeFahrenheit", 5.0 / 9.0, 459.67 * 5.0 / 9.0),
    ("DegreeNewton", 100.0 / 33.0, 273.15),
    ("DegreeRankine", 5.0 / 9.0, 0.0),
    ("DegreeReaumur", 1.25, 273.15),
    ("DegreeRoemer", 40.0 / 21.0, 273.15 - 7.5 * 40.0 / 21.0),
    ("MillidegreeCelsius", 0.001, 273.15),
    ("SolarTemperature", 5778.0, 0.0),
];

fn temperature(cells: &[Cell<'_>], out: &mut Out) {
    let scale = |cell: &Cell<'_>| match cell {
        Cell::String(name) => TEMPERATURE.iter().find(|(scale, ..)| scale == name),
        _ => None,
    };
    let value = match (&cells[0], scale(&cells[1]), scale(&cells[2])) {
        (Cell::Real(value), Some(from), Some(to)) => Some((value * from.1 + from.2 - to.2) / to.1),
        _ => None,
    };
    out.maybe(value, Out::real);
}

const DEGREE: f64 = std::f64::consts::PI / 180.0;

/// In degrees.
const ANGLE: Units = &[
    ("Arcminute", 1.0 / 60.0),
    ("Arcsecond", 1.0 / 3600.0),
    ("Centiradian", 0.01 / DEGREE),
    ("Deciradian", 0.1 / DEGREE),
    ("Degree", 1.0),
    ("Gradian", 0.9),
    ("Microdegree", 1e-6),
    ("Microradian", 1e-6 / DEGREE),
    ("Millidegree", 1e-3),
    ("Milliradian", 1e-3 / DEGREE),
    ("Nanodegree", 1e-9),
    ("Nanoradian", 1e-9 / DEGREE),
    ("NatoMil", 9.0 / 160.0),
    ("Radian", 1.0 / DEGREE),
    ("Revolution", 360.0),
    ("Tilt", 1.0 / DEGREE),
];

/// In joules.
const ENERGY: Units = &[
    ("BritishThermalUnit", 1055.05585262),
    ("Calorie", 4.184),
    ("DecathermEc", 1055055852.62),
    ("DecathermImperial", 1.05505585257348e9),
    ("DecathermUs", 1054804000.0),
    ("ElectronVolt", 1.602176634e-19),
    ("Erg", 1e-7),
    ("FootPound", 1.3558179483314004),
    ("GigabritishThermalUnit", 1055.05585262e9),
    ("GigaelectronVolt", 1.602176634e-10),
    ("Gigajoule", 1e9),
    ("GigawattDay", 86400e9),
    ("GigawattHour", 3600e9),
    ("HorsepowerHour", 2.684_519_537_696_173e6),
    ("Joule", 1.0),
    ("KilobritishThermalUnit", 1055055.85262),
    ("Kilocalorie", 4184.0),
    ("KiloelectronVolt", 1.602176634e-16),
    ("Kilojoule", 1e3),
    ("KilowattDay", 86400e3),
    ("KilowattHour", 3600e3),
    ("MegabritishThermalUnit", 1055055852.62),
    ("Megacalorie", 4184e3),
    ("MegaelectronVolt", 1.602176634e-13),
    ("Megajoule", 1e6),
    ("MegawattDay", 86400e6),
    ("MegawattHour", 3600e6),
    ("Millijoule", 1e-3),
    ("TeraelectronVolt", 1.602176634e-7),
    ("TerawattDay", 86400e12),
    ("TerawattHour", 3600e12),
    ("ThermEc", 105505585.262),
    ("ThermImperial", 105505585.257348),
    ("ThermUs", 105480400.0),
    ("WattDay", 86400.0),
    ("WattHour", 3600.0),
];

const POUND_FORCE: f64 = 4.4482216152605;

/// In newtons.
const FORCE: Units = &[
    ("Decanewton", 10.0),
    ("Dyn", 1e-5),
    ("KilogramForce", 9.80665),
    ("Kilonewton", 1e3),
    ("KiloPond", 9.80665),
    ("KilopoundForce", POUND_FORCE * 1e3),
    ("Meganewton", 1e6),
    ("Micronewton", 1e-6),
    ("Millinewton", 1e-3),
    ("Newton", 1.0),
    ("OunceForce", POUND_FORCE / 16.0),
    ("Poundal", 0.138254954376),
    ("PoundForce", POUND_FORCE),
    ("ShortTonForce", POUND_FORCE * 2000.0),
    ("TonneForce", 9806.65),
];

/// In metres.
const LENGTH: Units = &[
    ("Angstrom", 1e-10),
    ("AstronomicalUnit", 1.4959787070e11),
    ("Centimeter", 0.01),
    ("Chain", 20.1168),
    ("DataMile", 1828.8),
    ("Decameter", 10.0),
    ("Decimeter", 0.1),
    ("DtpPica", 0.0254 / 6.0),
    ("DtpPoint", 0.0254 / 72.0),
    ("Fathom", 1.8288),
    ("Foot", 0.3048),
    ("Hand", 0.1016),
    ("Hectometer", 100.0),
    ("Inch", 0.0254),
    ("KilolightYear", 9.46073047258e18),
    ("Kilometer", 1e3),
    ("Kiloparsec", 3.08567758128e19),
    ("LightYear", 9.46073047258e15),
    ("MegalightYear", 9.46073047258e21),
    ("Megaparsec", 3.08567758128e22),
    ("Meter", 1.0),
    ("Microinch", 2.54e-8),
    ("Micrometer", 1e-6),
    ("Mil", 2.54e-5),
    ("Mile", 1609.344),
    ("Millimeter", 1e-3),
    ("Nanometer", 1e-9),
    ("NauticalMile", 1852.0),
    ("Parsec", 3.08567758128e16),
    ("PrinterPica", 0.0254 / 6.022_5),
    ("PrinterPoint", 0.0254 / 72.27),
    ("Shackle", 27.432),
    ("SolarRadius", 6.95510000e8),
    ("Twip", 0.0254 / 1440.0),
    ("UsSurveyFoot", 1200.0 / 3937.0),
    ("Yard", 0.9144),
];

/// In kilograms.
const MASS: Units = &[
    ("Centigram", 1e-5),
    ("Decagram", 1e-2),
    ("Decigram", 1e-4),
    ("EarthMass", 5.9722e24),
    ("Grain", 6.479891e-5),
    ("Gram", 1e-3),
    ("Hectogram", 0.1),
    ("Kilogram", 1.0),
    ("Kilopound", 453.59237),
    ("Kilotonne", 1e6),
    ("LongHundredweight", 50.80234544),
    ("LongTon", 1016.0469088),
    ("Megapound", 453592.37),
    ("Megatonne", 1e9),
    ("Microgram", 1e-9),
    ("Milligram", 1e-6),
    ("Nanogram", 1e-12),
    ("Ounce", 0.028349523125),
    ("Pound", 0.45359237),
    ("ShortHundredweight", 45.359237),
    ("ShortTon", 907.18474),
    ("Slug", 14.593902937206),
    ("SolarMass", 1.98947e30),
    ("Stone", 6.35029318),
    ("Tonne", 1e3),
];

/// In metres a second.
const SPEED: Units = &[
    ("CentimeterPerHour", 0.01 / 3600.0),
    ("CentimeterPerMinute", 0.01 / 60.0),
    ("CentimeterPerSecond", 0.01),
    ("DecimeterPerMinute", 0.1 / 60.0),
    ("DecimeterPerSecond", 0.1),
    ("FootPerHour", 0.3048 / 3600.0),
    ("FootPerMinute", 0.3048 / 60.0),
    ("FootPerSecond", 0.3048),
    ("InchPerHour", 0.0254 / 3600.0),
    ("InchPerMinute", 0.0254 / 60.0),
    ("InchPerSecond", 0.0254),
    ("KilometerPerHour", 1.0 / 3.6),
    ("KilometerPerMinute", 1e3 / 60.0),
    ("KilometerPerSecond", 1e3),
    ("Knot", 1852.0 / 3600.0),
    ("MeterPerHour", 1.0 / 3600.0),
    ("MeterPerMinute", 1.0 / 60.0),
    ("MeterPerSecond", 1.0),
    ("MicrometerPerMinute", 1e-6 / 60.0),
    ("MicrometerPerSecond", 1e-6),
    ("MilePerHour", 0.44704),
    ("MillimeterPerHour", 1e-3 / 3600.0),
    ("MillimeterPerMinute", 1e-3 / 60.0),
    ("MillimeterPerSecond", 1e-3),
    ("NanometerPerMinute", 1e-9 / 60.0),
    ("NanometerPerSecond", 1e-9),
    ("UsSurveyFootPerHour", 1200.0 / 3937.0 / 3600.0),
    ("UsSurveyFootPerMinute", 1200.0 / 3937.0 / 60.0),
    ("UsSurveyFootPerSecond", 1200.0 / 3937.0),
    ("YardPerHour", 0.9144 / 3600.0),
    ("YardPerMinute", 0.9144 / 60.0),
    ("YardPerSecond", 0.9144),
];

/// In cubic metres.
const VOLUME: Units = &[
    ("AcreFoot", 1.0 / 0.000810714),
    ("AuTablespoon", 2e-5),
    ("BoardFoot", 2.3597372158e-3),
    ("Centiliter", 1e-5),
    ("CubicCentimeter", 1e-6),
    ("CubicDecimeter", 1e-3),
    ("CubicFoot", 0.0283168),
    ("CubicHectometer", 1e6),
    ("CubicInch", 1.6387e-5),
    ("CubicKilometer", 1e9),
    ("CubicMeter", 1.0),
    ("CubicMicrometer", 1e-18),
    ("CubicMile", 4.16818182544058e9),
    ("CubicMillimeter", 1e-9),
    ("CubicYard", 0.764554858),
    ("Decaliter", 1e-2),
    ("Deciliter", 1e-4),
    ("Hectoliter", 0.1),
    ("ImperialBeerBarrel", 0.16365924),
    ("ImperialGallon", 0.00454609),
    ("ImperialOunce", 2.841_306_249_996_29e-5),
    ("ImperialPint", 5.6826125e-4),
    ("ImperialQuart", 1.1365225e-3),
    ("Kiloliter", 1.0),
    ("Liter", 1e-3),
    ("Megaliter", 1e3),
    ("MetricCup", 2.5e-4),
    ("MetricTeaspoon", 5e-6),
    ("Microliter", 1e-9),
    ("Milliliter", 1e-6),
    ("Nanoliter", 1e-12),
    ("OilBarrel", 0.158987294928),
    ("UkTablespoon", 1.5e-5),
    ("UsBeerBarrel", 0.117347765),
    ("UsCustomaryCup", 2.365882365e-4),
    ("UsGallon", 0.00378541),
    ("UsLegalCup", 2.4e-4),
    ("UsOunce", 2.957_352_956_253_760_6e-5),
    ("UsPint", 4.73176473e-4),
    ("UsQuart", 9.46352946e-4),
    ("UsTablespoon", 1.478676478125e-5),
    ("UsTeaspoon", 4.92892159375e-6),
];
