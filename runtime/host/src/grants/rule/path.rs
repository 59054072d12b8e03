//! The paths of a rule. `/api` is that path and all below it. A `*` stands for one segment, and then the path
//! ends where the pattern does, unless that ends in `/**`: `/lines/*`, `/lines/*/ports/**`.

/// Which paths a rule covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Paths {
    segments: Vec<Segment>,
    /// Whether what lies below is covered, too.
    is_deep: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    /// This text.
    Text(String),
    /// Any text but none.
    Any,
}

impl Paths {
    /// Reads the path of a rule, which is empty or begins with a slash; fails with what is wrong.
    pub(super) fn parse(path: &str) -> Result<Self, &'static str> {
        let path = path.trim_end_matches('/');
        let (path, is_deep) = match path.strip_suffix("/**") {
            Some(path) => (path, true),
            None => (path, !path.contains('*')),
        };
        let segment = |text: &str| match text {
            "*" => Ok(Segment::Any),
            "**" => Err("`**` may only end the path"),
            text if text.contains('*') => Err("a `*` in a path stands for a whole segment"),
            text => Ok(Segment::Text(text.into())),
        };
        let segments = path.split('/').skip(1).map(segment).collect::<Result<_, _>>()?;
        Ok(Self { segments, is_deep })
    }

    /// Whether a request may have this path.
    pub(super) fn covers(&self, path: &str) -> bool {
        if self.segments.is_empty() && self.is_deep {
            return true;
        }
        // A server may read these as steps out of the path.
        let lower = path.to_ascii_lowercase();
        let tricky = ["..", "//", "\\", "%2e", "%2f", "%5c"];
        if tricky.iter().any(|text| lower.contains(text)) {
            return false;
        }
        let mut asked = path.split('/').skip(1);
        let is_covered = self.segments.iter().all(|segment| match (segment, asked.next()) {
            (Segment::Text(text), Some(asked)) => text == asked,
            (Segment::Any, Some(asked)) => !asked.is_empty(),
            (Segment::Text(_) | Segment::Any, None) => false,
        });
        is_covered && (self.is_deep || asked.next().is_none())
    }
}
