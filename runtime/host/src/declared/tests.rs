use super::*;

fn leb(bytes: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        bytes.push(u8::try_from(number & 0x7f).unwrap() | 0x80);
        number >>= 7;
    }
    bytes.push(u8::try_from(number).unwrap());
}

/// A section of a component or a module.
fn section(id: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![id];
    leb(&mut bytes, content.len());
    bytes.extend(content);
    bytes
}

fn module(sections: &[u8]) -> Vec<u8> {
    section(1, &[b"\0asm\x01\0\0\0", sections].concat())
}

fn component(sections: &[&[u8]]) -> Vec<u8> {
    [b"\0asm\x0d\0\x01\0".as_slice(), &sections.concat()].concat()
}

/// An instance of the module or component with this index.
fn core_instance(index: u8) -> Vec<u8> {
    section(2, &[1, 0, index, 0])
}

fn instance(index: u8) -> Vec<u8> {
    section(5, &[1, 0, index, 0])
}

fn read(sections: &[&[u8]]) -> Declared {
    Declared::read(&component(sections)).unwrap()
}

const MEMORY: &[u8] = &[5, 3, 1, 0, 1];

#[test]
fn instantiated_modules_count_and_unused_modules_do_not() {
    let module = module(MEMORY);
    assert_eq!(read(&[&module]), Declared::default());
    let twice = read(&[&module, &core_instance(0), &core_instance(0)]);
    assert_eq!((twice.core_instances, twice.memories), (2, 2));
    twice.check().unwrap();
}

#[test]
fn a_component_that_doubles_at_each_depth_is_refused() {
    let module = module(MEMORY);
    // Thirty components, each of which instantiates the one before it twice.
    let mut inner = component(&[&module, &core_instance(0)]);
    for _ in 0..30 {
        inner = component(&[&section(4, &inner), &instance(0), &instance(0)]);
    }
    let declared = Declared::read(&inner).unwrap();
    assert_eq!(declared.memories, 1 << 30);
    let error = declared.check().unwrap_err();
    assert!(matches!(error, InstallError::TooMany { what: "core instances", .. }), "{error:?}");
}

#[test]
fn an_alias_stands_for_what_it_names() {
    let module = module(MEMORY);
    // A component that instantiates a module of the one around it: sort core module, outer, 1, 0.
    let alias = section(6, &[1, 0, 0x11, 2, 1, 0]);
    let inner = component(&[&alias, &core_instance(0), &core_instance(0)]);
    let declared = read(&[&module, &section(4, &inner), &instance(0)]);
    assert_eq!(declared.memories, 2);
}

#[test]
fn the_tables_of_an_instance_are_bounded() {
    // A hundred thousand globals: i32, constant, i32.const 0.
    let mut globals = Vec::new();
    leb(&mut globals, 200_000);
    globals.extend([0x7f, 0, 0x41, 0, 0x0b].repeat(200_000));
    let module = module(&section(6, &globals));
    let declared = read(&[&module, &core_instance(0)]);
    assert_eq!(declared.entries, 200_000);
    let error = declared.check().unwrap_err();
    assert!(error.to_string().contains("KiB of imports, functions and globals"), "{error}");
}
