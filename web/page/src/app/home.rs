//! The list of the site's notebooks, where the address names none.

use super::{Fetched, Shell, fetch};
use crate::dom::{self, el};

/// Shows the list.
pub async fn show(shell: &Shell) -> Fetched<()> {
    let notebooks = fetch::gallery().await?;
    let items = notebooks.iter().map(|listed| {
        let name = String::from(js_sys::encode_uri_component(&listed.file));
        let link = el("a")
            .attr("href", &format!("?nb=gallery/{name}"))
            .child(el("strong").text(&listed.title))
            .child(el("span").text(&listed.description));
        el("li").child(link)
    });
    let list = el("ul").class("gallery").children(items);
    let main = shell.main();
    dom::clear(&main);
    dom::append(&main, el("h1").text("Hunts to start from"));
    dom::append(&main, &list);
    Ok(())
}
