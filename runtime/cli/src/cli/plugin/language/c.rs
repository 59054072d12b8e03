//! C: bindings of the contract, clang, and the component that is made of the module.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use wit_bindgen_core::Files;
use wit_component::ComponentEncoder;
use wit_parser::Resolve;

use super::run;

/// The folder of the bindings in a project.
const BINDINGS: &str = "bindings";

/// The world of a project.
const WORLD: &str = "adapter";

/// What clang needs of Debian, for the message that it is missing.
const PACKAGES: &str = "clang lld wasi-libc libclang-rt-14-dev-wasm32";

/// Builds `build/plugin.wasm` of the sources in `src` and the world in `wit`.
pub(super) fn build(project: &Path) -> Result<PathBuf> {
    write_bindings(project)?;
    let module = compile(project)?;
    let mut encoder = ComponentEncoder::default();
    let component = encoder.validate(true).module(&module).and_then(ComponentEncoder::encode);
    let component = component.context(
        "no component can be made of the module: a function of the C library that reaches the system, such as \
         `printf`, has no place in a plugin",
    )?;
    let path = project.join("build/plugin.wasm");
    std::fs::write(&path, component)?;
    Ok(path)
}

/// Writes the bindings of the world in `wit`, which the unit tests include too.
pub(super) fn write_bindings(project: &Path) -> Result<()> {
    let mut resolve = Resolve::default();
    let (package, _) =
        resolve.push_dir(project.join("wit")).context("the world in `wit` cannot be read")?;
    let world = resolve
        .select_world(&[package], Some(WORLD))
        .with_context(|| format!("`wit` has no world `{WORLD}`"))?;
    let mut files = Files::default();
    let mut generator = wit_bindgen_c::Opts::default().build();
    generator.generate(&mut resolve, world, &mut files).context("the bindings cannot be made")?;
    let folder = project.join(BINDINGS);
    std::fs::create_dir_all(&folder)?;
    for (name, bytes) in files.iter() {
        std::fs::write(folder.join(name), bytes)?;
    }
    Ok(())
}

/// Compiles and links the sources; returns the module.
fn compile(project: &Path) -> Result<Vec<u8>> {
    std::fs::create_dir_all(project.join("build"))?;
    let mut sources = Vec::new();
    for entry in
        std::fs::read_dir(project.join("src")).context("the project has no folder `src`")?
    {
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        if name.ends_with(".c") {
            sources.push(format!("src/{name}"));
        }
    }
    sources.sort();
    let mut arguments: Vec<&str> = vec![
        "--target=wasm32-wasi",
        "-std=c11",
        "-Os",
        "-Wall",
        "-Wextra",
        "-nostartfiles",
        "-Wl,--no-entry",
        "-Wl,--gc-sections",
        "-Wl,--strip-all",
        "-Isrc",
        "-Ivendor",
        "-Ibindings",
        "bindings/adapter.c",
        "bindings/adapter_component_type.o",
        "vendor/ferrule.c",
        "vendor/ferrule_schema.c",
        "-o",
        "build/module.wasm",
    ];
    arguments.extend(sources.iter().map(String::as_str));
    run("clang", &arguments, project, "compiling").with_context(|| {
        format!("plugins in C need clang with a target for WASI; in Debian: `apt-get install {PACKAGES}`")
    })?;
    let module = std::fs::read(project.join("build/module.wasm"))?;
    if module.is_empty() {
        bail!("clang wrote an empty module");
    }
    Ok(module)
}
