use super::*;

#[test]
fn a_path_is_shown_on_one_line() {
    let path = Path::new("plugins/a\n2026 INFO plugin ready\u{1b}[2J\u{202e}\u{2028}.wasm");
    let shown = shown(path);
    assert_eq!(shown, "plugins/a\\n2026 INFO plugin ready\\u{1b}[2J\\u{202e}\\u{2028}.wasm");
    assert_eq!(super::shown(Path::new("a b/größe-1.wasm")), "a b/größe-1.wasm");
}
