#![allow(clippy::unwrap_used)]
use super::*;
use spoor_notebook::{Cell, Output};

fn deflate(bytes: &[u8]) -> String {
    let mut deflater = DeflateEncoder::new(Vec::new(), Compression::best());
    deflater.write_all(bytes).unwrap();
    URL_SAFE_NO_PAD.encode(deflater.finish().unwrap())
}

#[test]
fn a_notebook_goes_through_a_link() {
    let file = include_bytes!("../../../../gallery/process-alert.ipynb");
    let notebook = Notebook::from_slice(file).unwrap();
    let link = encode_link(&notebook, true).unwrap();
    assert!(
        link.bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    );
    assert!(
        link.len() < file.len() / 2,
        "{} of {}",
        link.len(),
        file.len()
    );
    assert_eq!(decode_link(&link).unwrap(), notebook);
}

#[test]
fn outputs_can_be_left_out() {
    let mut notebook = Notebook::new();
    let mut cell = Cell::code("x");
    cell.id = Some("a".into());
    cell.set_execution_count(Some(2));
    cell.outputs_mut()
        .unwrap()
        .push(Output::Other(Default::default()));
    notebook.cells.push(cell);
    let bare = decode_link(&encode_link(&notebook, false).unwrap()).unwrap();
    assert!(bare.cells[0].outputs().is_empty());
    assert_eq!(bare.cells[0].execution_count(), None);
    assert_eq!(bare.cells[0].source, "x");
    assert_eq!(
        notebook.cells[0].outputs().len(),
        1,
        "the notebook itself keeps them"
    );
}

#[test]
fn a_notebook_that_does_not_fit_is_refused() {
    // Text that does not compress.
    let mut state = 1_u64;
    let mut noise = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        char::from(b' ' + (state >> 57) as u8 % 90)
    };
    let text: String = (0..2 * MAX_LINK).map(|_| noise()).collect();
    let mut notebook = Notebook::new();
    notebook.cells.push(Cell::code(text));
    assert!(matches!(
        encode_link(&notebook, true),
        Err(LinkError::TooLong(_))
    ));
}

#[test]
fn a_bomb_is_not_unfolded() {
    let zeros = vec![b' '; MAX_NOTEBOOK + 1];
    let link = deflate(&zeros);
    assert!(link.len() < 100_000, "it is small: {}", link.len());
    assert!(matches!(decode_link(&link), Err(LinkError::Bomb)));
    let long = "A".repeat(MAX_LINK + 1);
    assert!(matches!(decode_link(&long), Err(LinkError::LinkTooLong(_))));
}

#[test]
fn what_is_no_link_is_told_so() {
    let good = encode_link(&Notebook::new(), true).unwrap();
    assert!(matches!(decode_link("%%%"), Err(LinkError::Broken)));
    assert!(matches!(
        decode_link(&good[..good.len() / 2]),
        Err(LinkError::Broken | LinkError::Notebook(_))
    ));
    assert!(matches!(decode_link("_____"), Err(LinkError::Broken)));
    assert!(matches!(
        decode_link(&deflate(b"{}")),
        Err(LinkError::Notebook(_))
    ));
    assert!(matches!(
        decode_link(""),
        Err(LinkError::Broken | LinkError::Notebook(_))
    ));
}
