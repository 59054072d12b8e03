//! The manifest inside the artefact, so that one file is all there is to drop in.

/// Embeds the `plugin.toml` of the calling crate as custom section `ferrule:plugin-manifest`.
#[doc(hidden)]
#[macro_export]
macro_rules! __embed_manifest {
    () => {
        #[unsafe(link_section = "ferrule:plugin-manifest")]
        #[used]
        static MANIFEST: [u8; include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/plugin.toml"))
            .len()] = *include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/plugin.toml"));
    };
}
