//! The master keys of one machine: two files that only their owner can read.

use std::{
    fs,
    io::{ErrorKind, Write as _},
    path::Path,
};

use data_encoding::HEXLOWER;
use purser_runtime::vault::{MasterKey, MasterKeys, Purpose};

use crate::exit::ProgramError;

/// Reads both keys; makes them when the data folder is new.
pub(crate) fn open(folder: &Path, is_new: bool) -> Result<MasterKeys, ProgramError> {
    let purposes = [Purpose::Intuit, Purpose::Autotask];
    let rings = purposes.map(|purpose| Ok((purpose, key(folder, purpose, is_new)?.into())));
    let rings: Result<Vec<_>, ProgramError> = rings.into_iter().collect();
    Ok(MasterKeys::new(rings?))
}

fn key(folder: &Path, purpose: Purpose, is_new: bool) -> Result<MasterKey, ProgramError> {
    let path = folder.join(format!("{}.key", purpose.as_str()));
    let problem = |what: &str| {
        ProgramError::wrong(
            "key_file",
            format!("The key file {} {what}.", path.display()),
            "Restore it from a backup; without it the stored credentials cannot be opened, and the \
             connections must be added again in an empty data folder.",
        )
    };
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound && is_new => {
            create(&path).map_err(|error| problem(&format!("cannot be written ({error})")))?
        }
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(problem("is missing")),
        Err(error) => return Err(problem(&format!("cannot be read ({error})"))),
    };
    let bytes = HEXLOWER
        .decode(text.trim().as_bytes())
        .map_err(|_| problem("is damaged"))?;
    MasterKey::new(&bytes).map_err(|_| problem("is damaged"))
}

/// Writes a new key beside its place and moves it there, so that a crash leaves no half of one.
fn create(path: &Path) -> std::io::Result<String> {
    let text = HEXLOWER.encode(&MasterKey::generate());
    let beside = path.with_extension(format!("new-{}", std::process::id()));
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    match fs::hard_link(&beside, path) {
        Ok(()) => fs::remove_file(&beside)?,
        // Another process was first: its key counts.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            fs::remove_file(&beside)?;
            return fs::read_to_string(path);
        }
        Err(_) => fs::rename(&beside, path)?,
    }
    Ok(text)
}
