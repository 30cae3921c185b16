//! The importers this program knows.

use keelson_importer::Importer;

/// Every importer, in the order in which help lists them.
pub(crate) fn all() -> Vec<Box<dyn Importer>> {
    vec![
        Box::new(keelson_import_batch::BatchImporter),
        Box::new(keelson_import_batch::CsvImporter),
        Box::new(keelson_import_backstage::BackstageImporter),
        Box::new(keelson_import_gitlab::GitlabImporter),
        Box::new(keelson_import_terraform::TerraformImporter),
        Box::new(keelson_import_kubernetes::KubernetesImporter),
    ]
}

/// The importer of a name.
pub(crate) fn find(name: &str) -> Option<Box<dyn Importer>> {
    all().into_iter().find(|importer| importer.name() == name)
}

/// The importers with what they read, one per line.
pub(crate) fn help() -> String {
    all().iter().map(|importer| format!("  {:<12} {}\n", importer.name(), importer.reads())).collect()
}
