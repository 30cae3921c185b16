//! Finding the files that a `Location` points at, among the files of the import.

use std::collections::BTreeSet;

/// Why a target leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unresolved {
    /// A pattern that no file matches.
    NoMatch,
    /// Anything else; with the reason.
    Elsewhere(String),
}

/// The files, by their number, that `target` stands for when it is written in the file `from`.
///
/// Relative paths begin at the folder of `from`. Addresses lead to a file only where they point
/// into `repository`. Patterns know `*` and `?` inside a folder's name and `**` for any folders.
pub(crate) fn resolve(
    target: &str,
    from: &str,
    names: &[&str],
    repository: Option<&str>,
) -> Result<BTreeSet<usize>, Unresolved> {
    let elsewhere = |reason: &str| Err(Unresolved::Elsewhere(reason.to_owned()));
    let mut path: Vec<&str> = Vec::new();
    let rest = if target.contains("://") {
        match repository.and_then(|repository| path_in_repository(target, repository)) {
            Some(path) => path,
            None => return elsewhere("it is an address outside the files of this import"),
        }
    } else if target.starts_with('/') {
        return elsewhere("it is an absolute path; write it relative to this file");
    } else {
        path.extend(from.split('/'));
        path.pop();
        target
    };
    for segment in rest.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                if path.pop().is_none() {
                    return elsewhere("it leads out of the files of this import");
                }
            }
            name => path.push(name),
        }
    }
    let pattern = path.iter().any(|segment| segment.contains(['*', '?']));
    let found: BTreeSet<usize> = if pattern {
        let matches = |name: &&str| matches_path(&path, &name.split('/').collect::<Vec<_>>());
        names.iter().enumerate().filter(|(_, name)| matches(name)).map(|(number, _)| number).collect()
    } else {
        let path = path.join("/");
        names.iter().position(|name| *name == path).into_iter().collect()
    };
    match (found.is_empty(), pattern) {
        (false, _) => Ok(found),
        (true, true) => Err(Unresolved::NoMatch),
        (true, false) => elsewhere("there is no such file in this import"),
    }
}

/// The path behind an address such as `https://host/group/project/-/blob/main/catalog-info.yaml`
/// when it points into the repository `https://host/group/project`.
fn path_in_repository<'a>(address: &'a str, repository: &str) -> Option<&'a str> {
    let repository = repository.trim_end_matches('/').trim_end_matches(".git");
    let rest = address.strip_prefix(repository)?.strip_prefix('/')?;
    let rest = rest.strip_prefix("-/").unwrap_or(rest);
    let rest = rest.strip_prefix("blob/").or_else(|| rest.strip_prefix("tree/"))?;
    let (_reference, path) = rest.split_once('/')?;
    Some(path.split(['?', '#']).next().unwrap_or(path))
}

fn matches_path(pattern: &[&str], path: &[&str]) -> bool {
    wildcard(pattern, path, |segment| *segment == "**", |pattern, name| matches_name(pattern, name))
}

fn matches_name(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    wildcard(&pattern, &name, |c| *c == '*', |pattern, c| *pattern == '?' || pattern == c)
}

/// Matches a row against a pattern in which some elements stand for any number of elements, by
/// going back to the latest of them only: what an earlier one took need never be taken again.
fn wildcard<T>(pattern: &[T], row: &[T], any: impl Fn(&T) -> bool, one: impl Fn(&T, &T) -> bool) -> bool {
    let (mut at, mut next) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while next < row.len() {
        match pattern.get(at) {
            Some(element) if any(element) => {
                retry = Some((at + 1, next));
                at += 1;
            }
            Some(element) if one(element, &row[next]) => {
                at += 1;
                next += 1;
            }
            _ => match &mut retry {
                None => return false,
                Some((behind, taken)) => {
                    *taken += 1;
                    (at, next) = (*behind, *taken);
                }
            },
        }
    }
    pattern[at..].iter().all(any)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: &[&str] = &["all.yaml", "a/b.yaml", "a/c.yml", "a/deep/catalog-info.yaml", "catalog-info.yaml"];

    fn found(target: &str, from: &str) -> Result<Vec<usize>, Unresolved> {
        let repository = Some("https://git.example/org/app.git");
        resolve(target, from, NAMES, repository).map(|found| found.into_iter().collect())
    }

    #[test]
    fn paths_are_relative_to_the_file_that_names_them() {
        assert_eq!(found("./a/b.yaml", "all.yaml"), Ok(vec![1]));
        assert_eq!(found("b.yaml", "a/c.yml"), Ok(vec![1]));
        assert_eq!(found("../all.yaml", "a/c.yml"), Ok(vec![0]));
        for (target, from) in [("../x.yaml", "all.yaml"), ("/all.yaml", "all.yaml"), ("b.yaml", "all.yaml")] {
            assert!(matches!(found(target, from), Err(Unresolved::Elsewhere(_))), "{target}");
        }
    }

    #[test]
    fn patterns_match_within_and_across_folders() {
        assert_eq!(found("./a/*.y*ml", "all.yaml"), Ok(vec![1, 2]));
        assert_eq!(found("./**/catalog-info.yaml", "all.yaml"), Ok(vec![3, 4]));
        assert_eq!(found("a/?.yaml", "all.yaml"), Ok(vec![1]));
        assert_eq!(found("./b/*.yaml", "all.yaml"), Err(Unresolved::NoMatch));
        assert!(!matches_name("*a*a*a*b", &"a".repeat(500)));
    }

    #[test]
    fn addresses_are_files_only_inside_the_repository() {
        for address in
            ["https://git.example/org/app/blob/main/a/b.yaml", "https://git.example/org/app/-/tree/v1/a/b.yaml"]
        {
            assert_eq!(found(address, "all.yaml"), Ok(vec![1]));
        }
        for address in ["https://git.example/org/app2/blob/main/a/b.yaml", "https://elsewhere.example/x.yaml"] {
            assert!(matches!(found(address, "all.yaml"), Err(Unresolved::Elsewhere(_))), "{address}");
        }
    }
}
