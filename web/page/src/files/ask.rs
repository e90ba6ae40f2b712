//! Questions to the user: a name, a yes.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::Promise;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Event, HtmlInputElement, MouseEvent};

use crate::dialog::{self, Dialog};
use crate::dom::{self, button, el};

/// A text that is asked for.
pub struct Question<'a> {
    /// The dialog's title.
    pub title: &'a str,
    /// What is asked.
    pub label: &'a str,
    /// The answer that is proposed.
    pub value: &'a str,
    /// The label of the button that takes the answer.
    pub act: &'a str,
}

/// Asks for a text, again until `check` takes it or the user gives up. `check` gives the answer, or
/// why it will not do.
pub async fn text<T: 'static>(
    question: Question<'_>,
    check: impl Fn(&str) -> Result<T, String> + 'static,
) -> Option<T> {
    let dialog = dialog::open(question.title, "question");
    let field = el("input")
        .attr("type", "text")
        .attr("id", "ask-text")
        .attr("autocomplete", "off")
        .attr("aria-describedby", "ask-error");
    let input: HtmlInputElement = field.cast();
    input.set_value(question.value);
    let error = el("p")
        .class("wrong")
        .attr("id", "ask-error")
        .attr("role", "alert")
        .build();
    let answer = Rc::new(RefCell::new(None));
    let (found, closing, typed) = (answer.clone(), dialog.clone(), input.clone());
    let form = el("form")
        .class("asking")
        .on("submit", move |event: Event| {
            event.prevent_default();
            match check(&typed.value()) {
                Ok(value) => {
                    found.replace(Some(value));
                    closing.close();
                }
                Err(reason) => {
                    error_of(&typed).set_text_content(Some(&reason));
                    dom::set(&typed, "aria-invalid", "true");
                }
            }
        });
    let label = el("label").attr("for", "ask-text").text(question.label);
    let take = el("button")
        .class("main")
        .attr("type", "submit")
        .text(question.act);
    let form = form.child(label).child(&input).child(&error);
    dom::append(&dialog.body, form.child(buttons(&dialog, &[take])));
    let _ = input.focus();
    let stem = question
        .value
        .strip_suffix(".ipynb")
        .unwrap_or(question.value);
    let _ = input.set_selection_range(0, stem.encode_utf16().count() as u32);
    closed(&dialog).await;
    answer.take()
}

/// Asks whether to go on. `act` says what then happens.
pub async fn yes(title: &str, text: &str, act: &str) -> bool {
    choice(title, text, &[act]).await.is_some()
}

/// Asks which of several things to do; the number of its label, None for nothing.
pub async fn choice(title: &str, text: &str, acts: &[&str]) -> Option<usize> {
    choose(title, [el("p").text(text)], acts, true).await
}

/// As [`choice`], with more to read than a paragraph, and with nothing that a key pressed too early would choose.
pub async fn choice_of(
    title: &str,
    body: impl IntoIterator<Item = dom::El>,
    acts: &[&str],
) -> Option<usize> {
    choose(title, body, acts, false).await
}

async fn choose(
    title: &str,
    body: impl IntoIterator<Item = dom::El>,
    acts: &[&str],
    is_ready: bool,
) -> Option<usize> {
    let dialog = dialog::open(title, "question");
    let answer = Rc::new(RefCell::new(None));
    let takes: Vec<dom::El> = acts
        .iter()
        .enumerate()
        .map(|(number, act)| {
            let (found, closing) = (answer.clone(), dialog.clone());
            button(act).class("main").on("click", move |_: MouseEvent| {
                found.replace(Some(number));
                closing.close();
            })
        })
        .collect();
    for part in body {
        dom::append(&dialog.body, part);
    }
    dom::append(&dialog.body, buttons(&dialog, &takes));
    if let Some(first) = takes.first().filter(|_| is_ready) {
        let _ = first.focus();
    }
    closed(&dialog).await;
    answer.take()
}

/// Shows what went wrong until it is closed.
pub fn told(title: &str, text: &str) {
    let dialog = dialog::open(title, "question");
    dom::append(&dialog.body, el("p").text(text));
    let closing = dialog.clone();
    let close = button("Close").on("click", move |_: MouseEvent| closing.close());
    dom::append(&dialog.body, el("div").class("buttons").child(&close));
    let _ = close.focus();
}

fn buttons(dialog: &Dialog, takes: &[dom::El]) -> dom::El {
    let closing = dialog.clone();
    let cancel = button("Cancel").on("click", move |_: MouseEvent| closing.close());
    el("div").class("buttons").child(cancel).children(takes)
}

fn error_of(input: &HtmlInputElement) -> web_sys::Element {
    // It is beside the field: the form holds both.
    input
        .next_element_sibling()
        .unwrap_or_else(|| input.clone().into())
}

async fn closed(dialog: &Dialog) {
    let promise = Promise::new(&mut |resolve, _| {
        dialog.on_close(move || {
            let _ = resolve.call0(&wasm_bindgen::JsValue::UNDEFINED);
        });
    });
    // It never rejects.
    let _ = JsFuture::from(promise).await;
}
