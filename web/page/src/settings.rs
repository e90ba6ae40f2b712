//! The dialog of what the user prefers. A change holds at once.

use std::rc::Rc;

use spoor_model::settings::{FONT_SIZES, Settings, Theme};
use web_sys::{Event, HtmlElement, HtmlInputElement, HtmlSelectElement};

use crate::dialog;
use crate::dom::{self, button, el};
use crate::notebook::Screen;
use crate::workspaces;

/// A setting that is on or off.
type Switch = (&'static str, fn(&mut Settings) -> &mut bool);

const SWITCHES: [Switch; 4] = [
    ("Line numbers in editors", |settings| {
        &mut settings.line_numbers
    }),
    ("Break long lines of code", |settings| {
        &mut settings.wrap_lines
    }),
    ("Show the outline", |settings| &mut settings.outline),
    ("Run a notebook of your own when it is opened", |settings| {
        &mut settings.run_on_open
    }),
];

/// Opens the dialog.
pub fn open(screen: &Rc<Screen>) {
    let dialog = dialog::open("Settings", "settings");
    let settings = screen.app.preferences.get();
    dom::append(&dialog.body, row("Theme", &theme(screen, &settings)));
    dom::append(&dialog.body, row("Size of code", &size(screen, &settings)));
    for switch in SWITCHES {
        dom::append(
            &dialog.body,
            row(switch.0, &checkbox(screen, &settings, switch)),
        );
    }
    let (app, closing) = (screen.app.clone(), dialog.clone());
    let workspaces = button("Workspaces and sign-in").on("click", move |_: Event| {
        closing.close();
        workspaces::open_settings(&app);
    });
    dom::append(&dialog.body, el("div").class("setting").child(workspaces));
}

fn row(label: &str, control: &HtmlElement) -> HtmlElement {
    let label = el("span").text(label);
    el("label")
        .class("setting")
        .child(label)
        .child(control)
        .build()
}

fn theme(screen: &Rc<Screen>, settings: &Settings) -> HtmlElement {
    let select = el("select").build();
    for theme in Theme::ALL {
        let title = match theme {
            Theme::System => "As the system",
            Theme::Light => "Light",
            Theme::Dark => "Dark",
        };
        let option = el("option").attr("value", theme.name()).text(title);
        dom::append(&select, option.flag("selected", settings.theme == *theme));
    }
    screen.on(&select, "change", |screen, event: Event| {
        let select = dom::target::<HtmlSelectElement>(&event);
        let chosen = select.map(|select| select.value()).unwrap_or_default();
        let mut all = Theme::ALL.iter().copied();
        if let Some(theme) = all.find(|one| one.name() == chosen) {
            screen.prefer(|settings| settings.theme = theme);
        }
    });
    select
}

fn size(screen: &Rc<Screen>, settings: &Settings) -> HtmlElement {
    let field = el("input")
        .attr("type", "number")
        .attr("min", &FONT_SIZES.start().to_string())
        .attr("max", &FONT_SIZES.end().to_string())
        .attr("value", &settings.font_size.to_string())
        .build();
    screen.on(&field, "change", |screen, event: Event| {
        let field = dom::target::<HtmlInputElement>(&event);
        let size = field.and_then(|field| field.value().parse().ok());
        if let Some(size) = size.filter(|size| FONT_SIZES.contains(size)) {
            screen.prefer(|settings| settings.font_size = size);
        }
    });
    field
}

fn checkbox(screen: &Rc<Screen>, settings: &Settings, (_, field): Switch) -> HtmlElement {
    let mut settings = settings.clone();
    let checkbox = el("input")
        .attr("type", "checkbox")
        .flag("checked", *field(&mut settings))
        .build();
    screen.on(&checkbox, "change", move |screen, event: Event| {
        let checkbox = dom::target::<HtmlInputElement>(&event);
        let checked = checkbox.is_some_and(|checkbox| checkbox.checked());
        screen.prefer(|settings| *field(settings) = checked);
    });
    checkbox
}
