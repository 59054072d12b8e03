//! Grants that could never have an effect.

use tmf::nearest::hint;
use tmf::table::{APIS, of_key};

use super::Grants;

impl Grants {
    /// Refuses what names nothing, or allows nothing.
    pub fn check(&self) -> Result<(), String> {
        if let Some(kind) = self.inventory.iter().find(|kind| of_key(kind).is_none()) {
            let known = APIS.iter().flat_map(|api| api.resources).map(|resource| resource.key);
            let hint = hint(kind, known);
            return Err(format!("`inventory`: there are no documents of the kind `{kind}`{hint}"));
        }
        let is_pool = |pool: &&String| {
            let name = pool.strip_suffix('*').unwrap_or(pool);
            !pool.is_empty() && !name.contains('*')
        };
        if let Some(pool) = self.pools.iter().find(|pool| !is_pool(pool)) {
            return Err(format!(
                "`pools`: in `{pool}` a `*` may stand at the end only, for any ending"
            ));
        }
        let is_file = |file: &String| {
            !file.is_empty() && !file.contains('/') && file.matches('*').count() < 2
        };
        if let Some(file) = self.file.as_ref().filter(|file| !is_file(file)) {
            return Err(format!(
                "`file`: `{file}` is no name of a file in the folder, with one `*` at most"
            ));
        }
        let limits = &self.limits;
        let numbers = [
            ("memory-mib", limits.memory_mib),
            ("cpu-ms", limits.cpu_ms),
            ("wall-ms", limits.wall_ms),
            ("concurrency", limits.concurrency),
        ];
        match numbers.iter().find(|(_, number)| *number == Some(0)) {
            Some((key, _)) => {
                Err(format!("`limits.{key}` is 0: set it to 1 or more, or leave it out"))
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_without_an_effect_are_refused() {
        for (text, expected) in [
            ("inventory = [\"product\", \"customerBill\"]", None),
            ("pools = [\"olt-*\", \"a\", \"*\"]", None),
            ("file = \"acme-*.wasm\"", None),
            (
                "inventory = [\"produkt\"]",
                Some("no documents of the kind `produkt`; did you mean `product`?"),
            ),
            ("pools = [\"a*b\"]", Some("`pools`: in `a*b`")),
            ("pools = [\"\"]", Some("`pools`")),
            ("file = \"plugins/a.wasm\"", Some("`file`: `plugins/a.wasm`")),
            ("file = \"*a*\"", Some("`file`")),
            ("limits = { cpu-ms = 0 }", Some("`limits.cpu-ms` is 0")),
        ] {
            let grants: Grants = toml::from_str(text).unwrap();
            match (grants.check(), expected) {
                (Ok(()), None) => {}
                (Err(error), Some(expected)) if error.contains(expected) => {}
                (found, _) => panic!("{text}: {found:?}"),
            }
        }
    }
}
