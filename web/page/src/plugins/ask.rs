//! The question whether a plugin may run.

use spoor_model::plugins::question;
use spoor_registry::Label;

use crate::dom::{El, el};
use crate::files::ask_of;

const PROMISE: &str = "A plugin computes on the columns that a query gives it, and does nothing else: it reaches no other table, no file and no network, and is ended when it takes too long.";

/// What the user says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Not now.
    No,
    /// This very module may.
    Module,
    /// Whatever its publisher signed may.
    Publisher,
}

/// Asks whether a module may run.
pub async fn may_run(module: &Label) -> Answer {
    let asked = question(module);
    let facts = asked.facts.iter().flat_map(|(name, value)| {
        let lines = value.lines().map(|line| el("div").text(line));
        [el("dt").text(name), el("dd").children(lines)]
    });
    // What its author says comes after what is known of it.
    let body: Vec<El> = vec![
        el("dl").class("facts").children(facts),
        el("p").attr("dir", "auto").text(&asked.summary),
        el("p").class("hint").text(PROMISE),
    ];
    match ask_of(&asked.title, body, &asked.answers).await {
        None => Answer::No,
        Some(0) => Answer::Module,
        Some(_) => Answer::Publisher,
    }
}
