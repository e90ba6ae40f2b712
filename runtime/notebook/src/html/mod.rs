//! placeholder
use crate::model::Notebook;
/// Options.
#[derive(Default)]
pub struct RenderOptions {}
/// Renders.
pub fn render(_notebook: &Notebook, _options: &RenderOptions) -> String {
    String::new()
}
