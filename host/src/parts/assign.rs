//! Which function belongs to which part.
//!
//! What the kernel runs in common work is found by watching it. The linker puts an archive's functions one
//! after the other, so those of the interpreter's packages are found by where they begin. Libraries (BLAS,
//! zlib, the C library) come last and serve several packages: such a function belongs to the first part that
//! reaches it by calls.

use super::read::Whole;

/// From a function on, up to the next marker's: which part the functions belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marker {
    /// The first function, by its index.
    pub first: u32,
    /// Their part. Those of the last part belong to an earlier one if it calls them.
    pub part: u8,
}

/// How functions are assigned to parts.
pub enum Assign<'a> {
    /// By where they are in the module.
    Stretches(&'a [Marker]),
    /// By whether they ran: what did is part 0's, and so is what an export calls, as nothing can be waited for there.
    Used {
        /// Of each function, by index.
        used: &'a [bool],
        /// The exports that can wait for a part.
        waiting: &'a [&'a str],
    },
}

impl Assign<'_> {
    /// The part of each function, by index; imports belong to part 0.
    pub(super) fn parts(&self, whole: &Whole<'_>, parts: usize) -> Result<Vec<u8>, String> {
        match self {
            Self::Stretches(markers) => by_stretches(whole, markers, parts),
            Self::Used { used, waiting } => by_use(whole, used, waiting),
        }
    }
}

fn by_use(whole: &Whole<'_>, used: &[bool], waiting: &[&str]) -> Result<Vec<u8>, String> {
    if used.len() != whole.functions.len() {
        return Err(format!(
            "it has {} functions, and {} were watched",
            whole.functions.len(),
            used.len()
        ));
    }
    let imports = whole.imports();
    let part = |(function, used): (usize, &bool)| u8::from(function >= imports && !used);
    let mut part_of: Vec<u8> = used.iter().enumerate().map(part).collect();
    let exported = whole.exports.iter().filter(|export| {
        export.kind == wasmparser::ExternalKind::Func && !waiting.contains(&export.name)
    });
    let mut reached: Vec<u32> = exported.map(|export| export.index).collect();
    let mut seen = vec![false; whole.functions.len()];
    while let Some(function) = reached.pop() {
        let Some(body) = (function as usize).checked_sub(imports) else {
            continue;
        };
        if !std::mem::replace(&mut seen[function as usize], true) {
            part_of[function as usize] = 0;
            reached.extend(whole.calls(body)?);
        }
    }
    Ok(part_of)
}

fn by_stretches(whole: &Whole<'_>, markers: &[Marker], parts: usize) -> Result<Vec<u8>, String> {
    let last = u8::try_from(parts - 1).map_err(|e| e.to_string())?;
    let mut part_of = vec![0; whole.functions.len()];
    for pair in markers.iter().zip(ends(markers, whole)) {
        let (marker, end) = pair;
        part_of
            .get_mut(marker.first as usize..end)
            .ok_or("markers that are not in order")?
            .fill(marker.part);
    }
    let calls: Vec<_> = (0..whole.bodies.len())
        .map(|body| whole.calls(body))
        .collect::<Result<_, _>>()?;
    for part in 0..last {
        take_what_is_called(whole, &calls, &mut part_of, part, last);
    }
    Ok(part_of)
}

fn ends(markers: &[Marker], whole: &Whole<'_>) -> impl Iterator<Item = usize> {
    let nexts = markers.iter().skip(1).map(|next| next.first as usize);
    nexts.chain([whole.functions.len()])
}

/// Moves what `part` reaches of `last` into `part`.
fn take_what_is_called(
    whole: &Whole<'_>,
    calls: &[Vec<u32>],
    part_of: &mut [u8],
    part: u8,
    last: u8,
) {
    let defined = whole.imports()..whole.functions.len();
    let mut reached: Vec<usize> = defined.filter(|f| part_of[*f] == part).collect();
    while let Some(function) = reached.pop() {
        let Some(body) = function.checked_sub(whole.imports()) else {
            continue;
        };
        for callee in calls.get(body).into_iter().flatten() {
            let callee = *callee as usize;
            if part_of[callee] == last {
                part_of[callee] = part;
                reached.push(callee);
            }
        }
    }
}
