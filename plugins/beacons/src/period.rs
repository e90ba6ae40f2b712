//! The period of a train of contacts.
//!
//! A beacon sleeps, strays a little, and calls again, so its jitter adds up and it keeps no phase: a spectrum or an
//! autocorrelation over the whole span blurs. What stays sharp is one step. So a period `P` is tried by *support*: the
//! share of contacts that another one follows after `P`, give or take a tolerance. That is a point process's
//! autocorrelation at the one lag, taken per contact; contacts in between (other traffic) do not touch it, and a missed
//! beat or a night's silence costs one contact.
//!
//! Dense traffic has support at any lag. What chance gives is taken from the pair itself: from its rate over the whole span,
//! and, for bursts, from how many contacts lie between a contact and the earliest time that the next beat could come. The
//! fit of a period is by how much the support's lower confidence bound (Wilson 1927) is above chance: few contacts or a
//! loose fit are worth little, and a multiple of the true period less than the period, for its window is wider. Where
//! missed beats make up for it, a shorter period that fits nearly as well is taken. The score of the period that fits best
//! is the same as a share of what it could be (as Cohen's kappa has it).
//!
//! Candidates are peaks of a histogram of the logarithm of gaps, between neighbours and between contacts up to [`REACH`] apart.

use crate::spread::quantile;

/// How many contacts on a candidate's gap may end: 1 is the next.
pub const REACH: usize = 8;

/// The most contacts of a pair that are looked at: the first ones.
pub const MOST: usize = 50_000;

/// Widths of a histogram's bin, in natural logarithms.
const STEP: f64 = 0.04;

/// Bins for gaps from one tick to 2^64.
const BINS: usize = (44.4 / STEP) as usize;

/// Candidates from each of the two histograms.
const CANDIDATES: usize = 4;

/// The tolerances that are tried, up to the caller's.
const TOLERANCES: [f64; 4] = [0.02, 0.06, 0.15, 0.25];

/// Tolerances below this are of windows that the middle of a histogram's bin may be off by too much for.
const TIGHT: f64 = 0.1;

/// Contacts between, from which on more of them make no difference to chance.
const CROWD: usize = 32;

/// Contacts that have to have had the time for another beat.
const LEAST: usize = 4;

/// The normal quantile of the confidence bound. About 40 fits are tried on a pair, so it is higher than for one.
const SURE: f64 = 2.58;

/// The share of the best fit at which a shorter period is taken instead.
const NEARLY: f64 = 0.75;

/// What the caller allows.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The largest share of the period that a gap may stray by.
    pub tolerance: f64,
    /// Ticks within which connections are one contact.
    pub burst: f64,
}

impl Limits {
    /// Checks the caller's options; `burst` is in ticks of 100 ns.
    pub fn new(tolerance: f64, burst: i64) -> Result<Self, String> {
        if !(0.01..=0.45).contains(&tolerance) {
            return Err(format!("tolerance is {tolerance}: give 0.01 to 0.45"));
        }
        if burst < 0 {
            return Err("burst is negative: give a length of time, or 0s".into());
        }
        Ok(Limits {
            tolerance,
            burst: burst as f64,
        })
    }
}

/// A period that fits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Beat {
    /// The median of the gaps that keep to it, in ticks.
    pub period: f64,
    /// Half of what lies between the 5th and the 95th percentile of those gaps, as a share of the period: hardly more than
    /// the tolerance, which their window is wide to either side.
    pub jitter: f64,
    /// The share of contacts that another one follows after the period.
    pub support: f64,
    /// 0 to 1: the support's lower bound beyond chance.
    pub score: f64,
}

/// The times of contacts, in ticks from the first: of connections within `burst` of a contact's first one, that one.
/// `times` are in order.
pub fn contacts(times: &[i64], burst: f64) -> Vec<f64> {
    let Some(first) = times.first() else {
        return Vec::new();
    };
    let mut contacts: Vec<f64> = Vec::with_capacity(times.len().min(MOST));
    for time in times {
        let time = crate::pairs::apart(*first, *time);
        if contacts.last().is_none_or(|last| time - last > burst) {
            contacts.push(time);
        }
    }
    contacts
}

/// The period that fits contacts best, if any scores above 0. `contacts` are in order and not twice the same.
pub fn find(contacts: &[f64], limits: &Limits) -> Option<Beat> {
    let contacts = contacts.get(..MOST).unwrap_or(contacts);
    let mut fits: Vec<Fit> = Vec::new();
    for candidate in candidates(contacts) {
        let tolerances = tolerances(limits.tolerance);
        fits.extend(fits_near(candidate, tolerances, contacts, limits));
    }
    // A shorter period's jitter is a larger share of it.
    let widest = best(&fits, f64::INFINITY, 0.0)?.window;
    let looser = (2.0 * widest.tolerance).min(limits.tolerance);
    let both = [widest.tolerance, looser];
    for parts in 2..=REACH {
        let part = widest.period / parts as f64;
        fits.extend(fits_near(part, both, contacts, limits));
    }
    let fit = centred(fundamental(&fits)?, contacts, limits)?;
    fit.window.beat(contacts, fit.score)
}

/// A window and how it fits.
#[derive(Clone, Copy, Debug)]
struct Fit {
    /// The support's lower bound less chance, above 0.
    excess: f64,
    /// The excess as a share of what it could be, to 1.
    score: f64,
    window: Window,
}

/// What fits near a candidate, at each tolerance.
fn fits_near(
    candidate: f64,
    tolerances: impl IntoIterator<Item = f64>,
    contacts: &[f64],
    limits: &Limits,
) -> Vec<Fit> {
    let fit = |tolerance| {
        let window = Window::new(candidate, tolerance);
        if !window.says_something(limits.burst) {
            return None;
        }
        if tolerance >= TIGHT {
            return window.fit(contacts, limits.burst);
        }
        // Towards the middle of the gaps that it holds.
        Window::new(window.mean(contacts)?, tolerance).fit(contacts, limits.burst)
    };
    tolerances.into_iter().filter_map(fit).collect()
}

/// The best fit of those with a shorter period and at least an excess; the first of several.
fn best(fits: &[Fit], shorter: f64, least: f64) -> Option<Fit> {
    let fitting = fits
        .iter()
        .filter(|fit| fit.window.period < shorter && fit.excess >= least);
    fitting
        .copied()
        .reduce(|best, fit| match fit.excess > best.excess {
            true => fit,
            false => best,
        })
}

/// The best fit, or a shorter period that fits nearly as well: missed beats and traffic in between cost a period more than
/// its multiples.
fn fundamental(fits: &[Fit]) -> Option<Fit> {
    let mut fit = best(fits, f64::INFINITY, 0.0)?;
    while let Some(shorter) = best(fits, fit.window.period * 0.7, fit.excess * NEARLY) {
        fit = shorter;
    }
    Some(fit)
}

/// The best of a fit and of those around the mean of its gaps.
fn centred(fit: Fit, contacts: &[f64], limits: &Limits) -> Option<Fit> {
    let mean = fit.window.mean(contacts)?;
    let around = tolerances(limits.tolerance)
        .map(|tolerance| Window::new(mean, tolerance))
        .filter(|window| window.says_something(limits.burst))
        .filter_map(|window| window.fit(contacts, limits.burst));
    let fits: Vec<Fit> = around.chain([fit]).collect();
    best(&fits, f64::INFINITY, 0.0)
}

/// The tolerances up to the caller's, and the caller's.
fn tolerances(most: f64) -> impl Iterator<Item = f64> {
    let below = TOLERANCES.into_iter().filter(move |one| *one < most);
    below.chain([most])
}

/// Gaps that may be the period, in ticks.
fn candidates(contacts: &[f64]) -> Vec<f64> {
    let mut next = Histogram::default();
    let mut all = Histogram::default();
    for (at, contact) in contacts.iter().enumerate() {
        for (steps, later) in contacts.iter().skip(at + 1).take(REACH).enumerate() {
            let gap = later - contact;
            all.count(gap);
            if steps == 0 {
                next.count(gap);
            }
        }
    }
    let mut candidates = next.highest();
    candidates.extend(all.sharpest());
    candidates.sort_unstable_by(f64::total_cmp);
    candidates.dedup();
    candidates
}

/// How many gaps have which logarithm.
struct Histogram {
    bins: Vec<f64>,
    lowest: usize,
    highest: usize,
}

impl Default for Histogram {
    fn default() -> Self {
        Histogram {
            bins: vec![0.0; BINS],
            lowest: BINS,
            highest: 0,
        }
    }
}

impl Histogram {
    fn count(&mut self, gap: f64) {
        let at = (gap.max(1.0).ln() / STEP) as usize;
        if let Some(bin) = self.bins.get_mut(at) {
            *bin += 1.0;
            self.lowest = self.lowest.min(at);
            self.highest = self.highest.max(at);
        }
    }

    /// Where most gaps are.
    fn highest(&self) -> Vec<f64> {
        self.best(|at| self.around(at, 2))
    }

    /// Where there are more gaps than to either side.
    fn sharpest(&self) -> Vec<f64> {
        self.best(|at| self.around(at, 1) - 0.25 * self.around(at, 6))
    }

    /// The gaps in the bins up to `reach` from one.
    fn around(&self, at: usize, reach: usize) -> f64 {
        let bins = self
            .bins
            .get(at.saturating_sub(reach)..(at + reach + 1).min(BINS));
        bins.unwrap_or_default().iter().sum()
    }

    /// The middles of the bins that a measure puts highest, none near another.
    fn best(&self, measure: impl Fn(usize) -> f64) -> Vec<f64> {
        let bins = self.lowest..(self.highest + 1).min(BINS);
        let counted = bins.filter(|at| self.around(*at, 0) > 0.0);
        let mut ranked: Vec<(f64, usize)> = counted.map(|at| (measure(at), at)).collect();
        ranked.sort_unstable_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(&other.1)));
        let mut chosen: Vec<usize> = Vec::new();
        for (_, at) in ranked {
            if chosen.len() < CANDIDATES && chosen.iter().all(|one| one.abs_diff(at) > 2) {
                chosen.push(at);
            }
        }
        let middle = |at: usize| ((at as f64 + 0.5) * STEP).exp();
        chosen.into_iter().map(middle).collect()
    }
}

/// The gaps that count as one period.
#[derive(Clone, Copy, Debug)]
struct Window {
    period: f64,
    /// What lies between the period and either end, as a share of it.
    tolerance: f64,
    shortest: f64,
    longest: f64,
}

impl Window {
    fn new(period: f64, tolerance: f64) -> Self {
        Window {
            period,
            tolerance,
            shortest: period * (1.0 - tolerance),
            longest: period * (1.0 + tolerance),
        }
    }

    /// Whether it is further from a contact than its burst reaches: bursts being one contact, there is nothing nearer.
    fn says_something(self, burst: f64) -> bool {
        self.shortest - burst > burst
    }

    /// The contacts that the train outlasts by the window.
    fn outlasted(self, contacts: &[f64]) -> impl Iterator<Item = (usize, f64)> {
        let last = contacts.last().copied().unwrap_or_default() - self.longest;
        let contacts = contacts.iter().copied().enumerate();
        contacts.take_while(move |(_, contact)| *contact <= last)
    }

    /// For each contact that is outlasted, the gap that is nearest to the period, if one is in the window.
    fn gaps(self, contacts: &[f64], mut step: impl FnMut(Option<f64>)) {
        let (mut from, mut near) = (0, 0);
        for (at, contact) in self.outlasted(contacts) {
            from = first_after(contacts, from.max(at), contact + self.shortest);
            near = first_after(contacts, near.max(from), contact + self.period);
            let gap = |at: usize| contacts.get(at).map(|later| later - contact);
            let later = gap(near).filter(|gap| *gap <= self.longest);
            let sooner = near.checked_sub(1).filter(|one| *one >= from).and_then(gap);
            step(match (sooner, later) {
                (Some(one), Some(other)) if self.period - one <= other - self.period => Some(one),
                (one, None) => one,
                (_, other) => other,
            });
        }
    }

    /// The mean of the gaps in the window; `None` where there is none.
    fn mean(self, contacts: &[f64]) -> Option<f64> {
        let (mut sum, mut count) = (0.0, 0_usize);
        self.gaps(contacts, |gap| {
            count += usize::from(gap.is_some());
            sum += gap.unwrap_or_default();
        });
        (count > 0).then(|| sum / count as f64)
    }

    /// How it fits, if beyond chance.
    fn fit(self, contacts: &[f64], burst: f64) -> Option<Fit> {
        let span = contacts.last().copied().filter(|span| *span > 0.0)?;
        let width = self.longest - self.shortest;
        let kept_by_chance = |rate: f64| 1.0 - (-rate * width).exp();
        let hole = self.shortest - burst;
        let crowds: [f64; CROWD] = std::array::from_fn(|one| kept_by_chance(one as f64 / hole));
        let (mut steps, mut kept, mut chance, mut from) = (0_usize, 0_usize, 0.0, 0);
        for (at, contact) in self.outlasted(contacts) {
            from = first_after(contacts, from.max(at), contact + self.shortest);
            let next = contacts.get(from).copied().unwrap_or(f64::INFINITY);
            steps += 1;
            kept += usize::from(next - contact <= self.longest);
            let between = from.saturating_sub(at + 1).min(CROWD - 1);
            chance += crowds.get(between).copied().unwrap_or_default();
        }
        let overall = kept_by_chance(contacts.len().saturating_sub(1) as f64 / span);
        let chance = overall.max(chance / steps as f64);
        let excess = lower_bound(kept as f64, steps as f64) - chance;
        (steps >= LEAST && excess > 0.0 && chance < 1.0).then_some(Fit {
            excess,
            score: (excess / (1.0 - chance)).min(1.0),
            window: self,
        })
    }

    fn beat(self, contacts: &[f64], score: f64) -> Option<Beat> {
        let (mut steps, mut gaps) = (0_usize, Vec::new());
        self.gaps(contacts, |gap| {
            steps += 1;
            gaps.extend(gap);
        });
        gaps.sort_unstable_by(f64::total_cmp);
        let period = quantile(&gaps, 0.5)?;
        let spread = quantile(&gaps, 0.95)? - quantile(&gaps, 0.05)?;
        Some(Beat {
            period,
            jitter: spread / (2.0 * period),
            support: gaps.len() as f64 / steps as f64,
            score,
        })
    }
}

/// The first contact, from one on, that is not before a time.
fn first_after(contacts: &[f64], mut from: usize, time: f64) -> usize {
    while contacts.get(from).is_some_and(|contact| *contact < time) {
        from += 1;
    }
    from
}

/// The lower bound of a share by Wilson's score interval.
fn lower_bound(kept: f64, of: f64) -> f64 {
    let share = kept / of;
    let square = SURE * SURE;
    let middle = share + square / (2.0 * of);
    let half = SURE * (share * (1.0 - share) / of + square / (4.0 * of * of)).sqrt();
    (middle - half) / (1.0 + square / of)
}
