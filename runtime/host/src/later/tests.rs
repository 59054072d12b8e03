use super::{InstallError, check, is_later};

#[test]
fn versions_after_the_served_one_are_later() {
    for (import, expected) in [
        ("wasi:http/client@0.3.0", true),
        ("wasi:http/client@0.3.0-rc-2025-09-16", true),
        ("wasi:cli/run@1.0.0", true),
        ("wasi:http/outgoing-handler@0.2.6", false),
        ("wasi:io/streams@0.2.0", false),
        ("wasi:io/streams", false),
        ("ferrule:plugin/http@0.3.0", false),
    ] {
        assert_eq!(is_later(import), expected, "{import}");
    }
}

#[test]
fn async_functions_are_refused_by_name() {
    let lifted = |options: &str| {
        wat::parse_str(format!(
            r#"(component
                (core module $m
                    (func (export "run") (result i32) (i32.const 0))
                    (func (export "cb") (param i32 i32 i32) (result i32) (i32.const 0)))
                (core instance $i (instantiate $m))
                (func $run {options})
                (export "run" (func $run)))"#
        ))
        .unwrap()
    };
    let plain = lifted(r#"(result u32) (canon lift (core func $i "run"))"#);
    assert!(check(&plain, &[]).is_ok());
    let lift = r#"async (canon lift (core func $i "run") async (callback (core func $i "cb")))"#;
    let error = check(&lifted(lift), &[]).unwrap_err();
    assert!(
        matches!(&error, InstallError::LaterWasi { needs } if needs.contains("async")),
        "{error}"
    );
}
