//! From a link that people copy to the address that gives the notebook's file.
//!
//! Git hosts show a notebook in a page of their own; the file itself is elsewhere. Links of other
//! sites are taken as they are.

/// Where the file of a link is, and what it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The file's address.
    pub url: String,
    /// Its name, as far as the link says.
    pub name: String,
    /// Whether the address answers with GitHub's description of a gist, in which the file is.
    pub gist: bool,
}

/// Why a link leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// It is not one.
    #[error("“{0}” is not a web address: it begins with https://")]
    NotUrl(String),
    /// It is not encrypted.
    #[error(
        "the address begins with http://, which a page that came over HTTPS may not read: try https://"
    )]
    Insecure,
    /// It is of a folder or a repository.
    #[error(
        "the link leads to a {0}, not to one file: open the notebook there and copy the address of its page"
    )]
    NotFile(&'static str),
}

/// The file that a link leads to.
pub fn target(link: &str) -> Result<Target, LinkError> {
    let link = link.trim();
    let (scheme, rest) = link.split_once("://").unwrap_or_default();
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = host.to_ascii_lowercase();
    if !matches!(scheme, "http" | "https") || host.is_empty() {
        return Err(LinkError::NotUrl(link.to_owned()));
    }
    let local = host.starts_with("localhost") || host.starts_with("127.0.0.1");
    if scheme == "http" && !local {
        return Err(LinkError::Insecure);
    }
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    match host.trim_start_matches("www.") {
        "github.com" => github(&parts),
        "gist.github.com" => gist(&parts),
        "nbviewer.org" | "nbviewer.jupyter.org" => nbviewer(link, &parts),
        _ => gitlab(&host, path).unwrap_or_else(|| Ok(plain(link, &parts))),
    }
}

/// `OWNER/REPO/blob/BRANCH/PATH`, or `raw` in place of `blob`.
fn github(parts: &[&str]) -> Result<Target, LinkError> {
    match parts {
        [owner, repo, "blob" | "raw", rest @ ..] if rest.len() >= 2 => {
            let host = "https://raw.githubusercontent.com";
            let path = rest.join("/");
            Ok(file(format!("{host}/{owner}/{repo}/{path}")))
        }
        [_, _, "tree", ..] => Err(LinkError::NotFile("folder")),
        _ => Err(LinkError::NotFile("repository")),
    }
}

/// `OWNER/ID` or `ID`: only GitHub knows the files' names. With `raw` in it, a file.
fn gist(parts: &[&str]) -> Result<Target, LinkError> {
    let id = |part: &str| part.len() >= 20 && part.bytes().all(|b| b.is_ascii_hexdigit());
    match parts {
        [owner, gist, "raw", ..] if id(gist) => {
            let path = parts[2..].join("/");
            let host = "https://gist.githubusercontent.com";
            Ok(file(format!("{host}/{owner}/{gist}/{path}")))
        }
        [gist] | [_, gist, ..] if id(gist) => Ok(Target {
            url: format!("https://api.github.com/gists/{gist}"),
            name: String::new(),
            gist: true,
        }),
        _ => Err(LinkError::NotFile("list of gists")),
    }
}

/// `github/OWNER/REPO/blob/...`, `gist/OWNER/ID`, or `url(s)/HOST/PATH`.
fn nbviewer(link: &str, parts: &[&str]) -> Result<Target, LinkError> {
    match parts {
        ["github", rest @ ..] => github(rest),
        ["gist", rest @ ..] => gist(rest),
        ["url" | "urls", rest @ ..] => Ok(file(format!("https://{}", rest.join("/")))),
        _ => Ok(plain(link, parts)),
    }
}

/// `GROUP/PROJECT/-/blob/BRANCH/PATH`, on gitlab.com or any other GitLab; None elsewhere.
fn gitlab(host: &str, path: &str) -> Option<Result<Target, LinkError>> {
    let (project, rest) = path.split_once("/-/")?;
    match rest.split_once('/') {
        Some(("blob" | "raw", file_path)) => Some(Ok(file(format!(
            "https://{host}/{project}/-/raw/{file_path}"
        )))),
        Some(("tree", _)) => Some(Err(LinkError::NotFile("folder"))),
        _ => None,
    }
}

fn plain(link: &str, parts: &[&str]) -> Target {
    Target {
        url: link.to_owned(),
        name: parts.last().map(|name| decoded(name)).unwrap_or_default(),
        gist: false,
    }
}

fn file(url: String) -> Target {
    let name = url.rsplit('/').next().map(decoded).unwrap_or_default();
    let gist = false;
    Target { url, name, gist }
}

/// Without percent signs; what does not decode stays as it is.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = tail.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let byte = hex.and_then(|two| u8::from_str_radix(two, 16).ok());
        match (first, byte) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn pages_of_git_hosts_lead_to_files() {
        for (link, url, name) in [
            (
                "https://github.com/o/r/blob/main/hunts/A%20b.ipynb?plain=1#L3",
                "https://raw.githubusercontent.com/o/r/main/hunts/A%20b.ipynb",
                "A b.ipynb",
            ),
            (
                " https://www.github.com/o/r/raw/v1/a.ipynb ",
                "https://raw.githubusercontent.com/o/r/v1/a.ipynb",
                "a.ipynb",
            ),
            (
                "https://gitlab.com/g/s/p/-/blob/main/d/a.ipynb?ref_type=heads",
                "https://gitlab.com/g/s/p/-/raw/main/d/a.ipynb",
                "a.ipynb",
            ),
            (
                "https://git.example.org/g/p/-/raw/main/a.ipynb",
                "https://git.example.org/g/p/-/raw/main/a.ipynb",
                "a.ipynb",
            ),
            (
                "https://nbviewer.org/github/o/r/blob/main/a.ipynb",
                "https://raw.githubusercontent.com/o/r/main/a.ipynb",
                "a.ipynb",
            ),
            (
                "https://gist.github.com/ana/0123456789abcdef0123/raw/77/a.ipynb",
                "https://gist.githubusercontent.com/ana/0123456789abcdef0123/raw/77/a.ipynb",
                "a.ipynb",
            ),
            (
                "https://example.org/x/a.ipynb?token=7",
                "https://example.org/x/a.ipynb?token=7",
                "a.ipynb",
            ),
            (
                "http://127.0.0.1:8000/a%zz.ipynb",
                "http://127.0.0.1:8000/a%zz.ipynb",
                "a%zz.ipynb",
            ),
        ] {
            let found = target(link).unwrap();
            assert_eq!(
                (found.url.as_str(), found.name.as_str()),
                (url, name),
                "{link}"
            );
            assert!(!found.gist);
        }
    }

    #[test]
    fn a_gist_is_asked_for_its_files() {
        for link in [
            "https://gist.github.com/ana/0123456789abcdef0123",
            "https://gist.github.com/0123456789abcdef0123#file-a-ipynb",
            "https://nbviewer.org/gist/ana/0123456789abcdef0123",
        ] {
            let found = target(link).unwrap();
            assert!(found.gist, "{link}");
            assert_eq!(
                found.url,
                "https://api.github.com/gists/0123456789abcdef0123"
            );
        }
    }

    #[test]
    fn what_is_not_a_file_is_told() {
        for (link, error) in [
            ("https://github.com/o/r", LinkError::NotFile("repository")),
            (
                "https://github.com/o/r/tree/main/d",
                LinkError::NotFile("folder"),
            ),
            (
                "https://gitlab.com/o/r/-/tree/main/d",
                LinkError::NotFile("folder"),
            ),
            (
                "https://gist.github.com/ana",
                LinkError::NotFile("list of gists"),
            ),
            ("http://example.org/a.ipynb", LinkError::Insecure),
            ("hunt.ipynb", LinkError::NotUrl("hunt.ipynb".into())),
            (
                "javascript://alert(1)",
                LinkError::NotUrl("javascript://alert(1)".into()),
            ),
            ("https://", LinkError::NotUrl("https://".into())),
        ] {
            assert_eq!(target(link), Err(error), "{link}");
        }
    }
}
