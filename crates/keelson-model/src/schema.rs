//! What the catalogue can hold: classes and kinds of relationship together.

use crate::{ClassError, ClassRegistry, KindRegistry};

/// Classes and kinds of relationship, as one value that travels together.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    /// CI classes.
    pub classes: ClassRegistry,
    /// Kinds of relationship.
    pub kinds: KindRegistry,
}

impl Schema {
    /// Builds both registries from files given with the names to use in messages.
    ///
    /// # Errors
    /// Returns everything that is wrong with the files.
    pub fn build<'a>(
        classes: impl IntoIterator<Item = (&'a str, &'a str)>,
        kinds: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, Vec<ClassError>> {
        let classes = ClassRegistry::build(classes)?;
        let kinds = KindRegistry::build(kinds)
            .map_err(|reason| vec![ClassError::Unreadable { file: "relationship kinds".into(), reason }])?;
        Ok(Self { classes, kinds })
    }
}
