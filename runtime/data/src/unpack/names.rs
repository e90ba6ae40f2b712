//! Which members of an archive are not data, by their names.

/// Whether a file tells about the data beside it.
pub(super) fn is_about(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name).to_ascii_lowercase();
    let (stem, extension) = file.split_once('.').unwrap_or((&file, ""));
    let words = [
        "readme",
        "license",
        "licence",
        "notice",
        "changelog",
        "copying",
        "authors",
    ];
    words.contains(&stem) || matches!(extension, "md" | "pdf" | "html" | "sha256" | "md5")
}

/// What archivers add beside the data: macOS's resource forks, hidden files.
pub(super) fn is_clutter(name: &str) -> bool {
    name.starts_with("__MACOSX/")
        || name
            .rsplit('/')
            .next()
            .is_some_and(|file| file.starts_with('.'))
}
