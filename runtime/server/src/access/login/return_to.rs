//! Where a browser goes after a login: a path of this server, and nowhere else.

/// Max bytes of a path.
const BYTES_MAX: usize = 2_048;

/// The path that a browser asked for, if it is one of this server; else `/`.
pub fn return_to(asked: Option<&str>) -> &str {
    asked.filter(|path| is_own(path)).unwrap_or("/")
}

/// Whether a text is the path of a page here. Browsers read `//host`, `/\host` and `/<tab>/host` as another
/// host, and logins must not lead to themselves.
fn is_own(path: &str) -> bool {
    let is_plain =
        |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'"' | b'<' | b'>' | b'#');
    let first = path.split(['/', '?']).nth(1).unwrap_or_default();
    path.len() <= BYTES_MAX
        && path.starts_with('/')
        && !path.starts_with("//")
        && path.bytes().all(is_plain)
        && !["login", "logout"].contains(&first.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_leads_to_paths_of_this_server_only() {
        let own = [
            "/",
            "/tmf-api/productOrderingManagement/v4/productOrder?limit=5&state=held",
            "/orchestration/v1/fulfilments/a%2Fb",
            "/?next=https://evil.example",
            "/loginx",
        ];
        for path in own {
            assert_eq!(return_to(Some(path)), path);
        }
        let long = format!("/{}", "a".repeat(BYTES_MAX));
        let others = [
            "",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "/%0a\r\nSet-Cookie: a=b",
            "https://evil.example",
            "https:evil.example",
            "javascript:alert(1)",
            "evil.example",
            "@evil.example",
            " /x",
            "/x y",
            "/é",
            "/\"><b>",
            "/x#y",
            "/login",
            "/login/callback?code=1",
            "/LOGIN?return=/",
            "/logout",
            &long,
        ];
        for path in others {
            assert_eq!(return_to(Some(path)), "/", "{path}");
        }
        assert_eq!(return_to(None), "/");
    }
}
