//! Components that Rust does not make: guests with more modules, and modules that cost much.

use wasmparser::{ComponentAlias, Parser, Payload};

/// A component with a module more, which is instantiated with it.
pub(crate) fn with_module(component: &[u8], module: &[u8]) -> Vec<u8> {
    let index = modules(component);
    let mut bytes = component.to_vec();
    section(&mut bytes, 1, module);
    // One instance of it, without arguments.
    let mut instance = vec![1, 0];
    leb(&mut instance, index);
    instance.push(0);
    section(&mut bytes, 2, &instance);
    bytes
}

/// How many core modules a component has at its outermost level.
#[expect(clippy::wildcard_enum_match_arm, reason = "a component has 30 kinds of sections")]
fn modules(component: &[u8]) -> usize {
    let (mut depth, mut modules) = (0_usize, 0);
    for payload in Parser::new(0).parse_all(component) {
        match payload.unwrap() {
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::ModuleSection { .. } if depth == 1 => modules += 1,
            Payload::ComponentAliasSection(aliases) if depth == 1 => {
                let is_module = |alias: &ComponentAlias<'_>| {
                    let kind = match alias {
                        ComponentAlias::InstanceExport { kind, .. } => format!("{kind:?}"),
                        ComponentAlias::Outer { kind, .. } => format!("{kind:?}"),
                        ComponentAlias::CoreInstanceExport { .. } => String::new(),
                    };
                    kind.contains("Module")
                };
                modules +=
                    aliases.into_iter().filter(|alias| is_module(alias.as_ref().unwrap())).count();
            }
            _ => {}
        }
    }
    modules
}

/// A module with one function whose locals and branches make register allocation expensive.
pub(crate) fn compile_bomb() -> Vec<u8> {
    const LOCALS: usize = 2_000;
    const BLOCKS: usize = 12_000;
    let mut body = vec![1];
    leb(&mut body, LOCALS);
    body.push(0x7f);
    for n in 0..BLOCKS {
        let (from, to) = (n * 7 % LOCALS, n * 13 % LOCALS);
        // block; local.get from; br_if 0; local.get from; local.set to; end
        body.extend([0x02, 0x40, 0x20]);
        leb(&mut body, from);
        body.extend([0x0d, 0x00, 0x20]);
        leb(&mut body, from);
        body.push(0x21);
        leb(&mut body, to);
        body.push(0x0b);
    }
    body.push(0x0b);
    let mut code = vec![1];
    leb(&mut code, body.len());
    code.extend(body);
    let mut module = b"\0asm\x01\0\0\0".to_vec();
    section(&mut module, 1, &[1, 0x60, 0, 0]);
    section(&mut module, 3, &[1, 0]);
    section(&mut module, 10, &code);
    module
}

fn section(bytes: &mut Vec<u8>, id: u8, content: &[u8]) {
    bytes.push(id);
    leb(bytes, content.len());
    bytes.extend(content);
}

fn leb(bytes: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        bytes.push(u8::try_from(number & 0x7f).unwrap() | 0x80);
        number >>= 7;
    }
    bytes.push(u8::try_from(number).unwrap());
}

/// Numbers that are the same in every run (an xorshift).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end.max(1) as u64).unwrap()
    }
}
