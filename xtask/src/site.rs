//! The files of a page, by name; names carry a hash of the content.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

use anyhow::Context;
use sha2::{Digest, Sha256};

/// What a server will send.
#[derive(Default)]
pub(crate) struct Site {
    files: BTreeMap<String, Vec<u8>>,
    /// From `icon.svg` to `icon-0123456789abcdef.svg`.
    hashed: BTreeMap<String, String>,
}

impl Site {
    /// Adds a file under a name with the hash of its content, and returns that name.
    pub(crate) fn add(&mut self, name: &str, bytes: Vec<u8>) -> String {
        let hash = &digest(&bytes)[..16];
        let hashed = match name.split_once('.') {
            Some((stem, extension)) => format!("{stem}-{hash}.{extension}"),
            None => format!("{name}-{hash}"),
        };
        self.hashed.insert(name.to_owned(), hashed.clone());
        self.files.insert(hashed.clone(), bytes);
        hashed
    }

    /// Adds a file under its own name.
    pub(crate) fn add_plain(&mut self, name: &str, bytes: Vec<u8>) {
        self.files.insert(name.to_owned(), bytes);
    }

    pub(crate) fn files(&self) -> impl Iterator<Item = (&String, &Vec<u8>)> {
        self.files.iter()
    }

    /// Joins the style sheets that `index` links, in that order, into one.
    pub(crate) fn link_styles(&mut self, index: &str, folder: &Path) -> anyhow::Result<String> {
        let mut styles = String::new();
        let mut rest = String::new();
        for line in index.lines() {
            let sheet =
                line.contains("rel=\"stylesheet\"").then(|| attribute(line, "href")).flatten();
            match sheet {
                Some(sheet) => {
                    let path = folder.join(sheet);
                    styles += &fs::read_to_string(&path)
                        .with_context(|| format!("no {}", path.display()))?;
                }
                None => writeln!(rest, "{line}")?,
            }
        }
        let name = self.add("style.css", styles.into_bytes());
        Ok(rest.replacen(
            "</head>",
            &format!("<link rel=\"stylesheet\" href=\"./{name}\">\n</head>"),
            1,
        ))
    }

    /// Gives the links of `index` to `static/…` their names with hashes.
    pub(crate) fn link_static(&self, index: &str) -> String {
        self.hashed.iter().fold(index.to_owned(), |index, (name, hashed)| {
            index.replace(&format!("\"./static/{name}\""), &format!("\"./{hashed}\""))
        })
    }
}

/// SHA-256 in hexadecimal.
pub(crate) fn digest(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}

/// The value of an attribute of an HTML tag.
fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (_, value) = tag.split_once(&format!("{name}=\""))?;
    value.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_changes_with_the_content() {
        let mut site = Site::default();

        let one = site.add("boot.js", b"1".to_vec());
        let two = site.add("boot.js", b"2".to_vec());

        assert_ne!(one, two);
        let hash = one.strip_prefix("boot-").and_then(|rest| rest.strip_suffix(".js"));
        assert!(hash.is_some_and(|hash| !hash.is_empty()), "{one}");
    }

    #[test]
    fn links_to_static_files_get_the_hash() {
        let mut site = Site::default();

        let name = site.add("icon.svg", b"<svg/>".to_vec());

        assert_eq!(
            site.link_static("<link href=\"./static/icon.svg\">"),
            format!("<link href=\"./{name}\">")
        );
    }

    #[test]
    fn style_sheets_become_one_in_their_order() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.css"), "a{}").unwrap();
        fs::write(folder.path().join("b.css"), "b{}").unwrap();
        let mut site = Site::default();

        let links = "<link rel=\"stylesheet\" href=\"b.css\">\n<link rel=\"stylesheet\" href=\"a.css\">\n</head>";
        let index = site.link_styles(links, folder.path()).unwrap();

        let (name, bytes) = site.files().next().unwrap();
        assert_eq!(bytes, b"b{}a{}");
        assert_eq!(index, format!("<link rel=\"stylesheet\" href=\"./{name}\">\n</head>\n"));
    }
}
