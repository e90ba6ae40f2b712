//! Building elements, and listening to them.
//!
//! A listener lives as long as its element: the browser frees it with the element. A closure that
//! needs the component that owns the element holds it weakly, or neither is ever freed.

use std::ops::Deref;

use wasm_bindgen::convert::FromWasmAbi;
use wasm_bindgen::prelude::*;
use web_sys::{Document, Element, EventTarget, HtmlElement, Node, Window};

/// The window.
pub fn window() -> Window {
    web_sys::window().unwrap_throw()
}

/// The document.
pub fn document() -> Document {
    window().document().unwrap_throw()
}

/// Whether no element has the focus.
pub fn focus_is_nowhere() -> bool {
    document()
        .active_element()
        .is_none_or(|element| element.tag_name() == "BODY")
}

/// The element with an id that stands in `index.html`, if it does.
pub fn by_id(id: &str) -> Option<HtmlElement> {
    document().get_element_by_id(id)?.dyn_into().ok()
}

/// A new element of HTML.
pub fn el(tag: &str) -> El {
    let element = document().create_element(tag).unwrap_throw();
    El(element.unchecked_into())
}

/// A new button, which submits no form.
pub fn button(label: &str) -> El {
    el("button").attr("type", "button").text(label)
}

/// A new element of SVG.
pub fn svg(tag: &str) -> Element {
    let namespace = Some("http://www.w3.org/2000/svg");
    document().create_element_ns(namespace, tag).unwrap_throw()
}

/// An element in the making.
#[derive(Clone)]
pub struct El(HtmlElement);

impl El {
    /// Sets the classes, separated by spaces.
    pub fn class(self, names: &str) -> Self {
        self.0.set_class_name(names);
        self
    }

    /// Sets the text. Never HTML.
    pub fn text(self, text: &str) -> Self {
        self.0.set_text_content(Some(text));
        self
    }

    /// Sets an attribute.
    pub fn attr(self, name: &str, value: &str) -> Self {
        set(&self.0, name, value);
        self
    }

    /// Sets an attribute that is there or not.
    pub fn flag(self, name: &str, there: bool) -> Self {
        flag(&self.0, name, there);
        self
    }

    /// Adds a child at the end.
    pub fn child(self, child: impl AsRef<Node>) -> Self {
        append(&self.0, child);
        self
    }

    /// Adds children at the end.
    pub fn children(self, children: impl IntoIterator<Item = impl AsRef<Node>>) -> Self {
        for child in children {
            append(&self.0, child);
        }
        self
    }

    /// Calls `heard` for each event.
    pub fn on<E>(self, event: &str, heard: impl FnMut(E) + 'static) -> Self
    where
        E: FromWasmAbi + 'static,
    {
        on(&self.0, event, heard);
        self
    }

    /// The element as the class that it is. The caller knows the tag.
    pub fn cast<T: JsCast>(&self) -> T {
        self.0.clone().unchecked_into()
    }

    /// The element.
    pub fn build(self) -> HtmlElement {
        self.0
    }
}

impl Deref for El {
    type Target = HtmlElement;

    fn deref(&self) -> &HtmlElement {
        &self.0
    }
}

impl AsRef<Node> for El {
    fn as_ref(&self) -> &Node {
        self.0.as_ref()
    }
}

/// Adds a child at the end.
pub fn append(parent: &Node, child: impl AsRef<Node>) {
    // It fails only where a node would become its own ancestor.
    let _ = parent.append_child(child.as_ref());
}

/// Takes all children away.
pub fn clear(parent: &Node) {
    parent.set_text_content(None);
}

/// Sets an attribute. The caller's names are good ones.
pub fn set(element: &Element, name: &str, value: &str) {
    let _ = element.set_attribute(name, value);
}

/// Sets an attribute that is there or not.
pub fn flag(element: &Element, name: &str, there: bool) {
    let _ = element.toggle_attribute_with_force(name, there);
}

/// Calls `heard` for each event at `target`, for as long as that lives.
pub fn on<E>(target: &EventTarget, event: &str, heard: impl FnMut(E) + 'static)
where
    E: FromWasmAbi + 'static,
{
    let heard = Closure::<dyn FnMut(E)>::new(heard).into_js_value();
    let _ = target.add_event_listener_with_callback(event, heard.unchecked_ref());
}

/// An object of JavaScript's.
pub fn object(fields: &[(&str, JsValue)]) -> JsValue {
    let object = js_sys::Object::new();
    for (name, value) in fields {
        // An object of our own takes any property.
        let _ = js_sys::Reflect::set(&object, &(*name).into(), value);
    }
    object.into()
}

/// Calls `then` after `ms` milliseconds.
pub fn after(ms: i32, then: impl FnOnce() + 'static) {
    let then = Closure::once_into_js(then);
    let _ =
        window().set_timeout_with_callback_and_timeout_and_arguments_0(then.unchecked_ref(), ms);
}

/// Waits.
pub async fn sleep(ms: i32) {
    let promise = js_sys::Promise::new(&mut |resolve, _| {
        let _ = window().set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, ms);
    });
    // It never rejects.
    let _ = wasm_bindgen_futures::JsFuture::from(promise).await;
}

/// Calls `then` before the next paint.
pub fn next_frame(then: impl FnOnce() + 'static) {
    let then = Closure::once_into_js(then);
    let _ = window().request_animation_frame(then.unchecked_ref());
}

/// Milliseconds since the page began to load.
pub fn now() -> f64 {
    window().performance().map_or(0.0, |clock| clock.now())
}

/// What an event happened to, if it is of the class.
pub fn target<T: JsCast>(event: &web_sys::Event) -> Option<T> {
    event.target()?.dyn_into().ok()
}
