//! Writes files whole or not at all.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use anyhow::Context;

/// Writes a file whole or not at all, readable by its owner only. A link is followed; a device is not a file.
pub(super) fn write_whole(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> anyhow::Result<()> {
    let target = path.canonicalize();
    let path = target.as_deref().unwrap_or(path);
    anyhow::ensure!(path.is_file() || !path.exists(), "cannot write {}: it is not a regular file", path.display());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let context = || format!("cannot write {}", path.display());
    let temporary = tempfile::NamedTempFile::new_in(folder).map_err(without_path).with_context(context)?;
    let mut buffered = BufWriter::new(temporary);
    write(&mut buffered).with_context(context)?;
    let temporary = buffered.into_inner().map_err(io::IntoInnerError::into_error).with_context(context)?;
    temporary.as_file().sync_all().with_context(context)?;
    temporary.persist(path).with_context(context)?;
    Ok(())
}

/// The cause alone: the error is told of the file that was named, not of the temporary one beside it.
fn without_path(error: io::Error) -> anyhow::Error {
    match error.get_ref().and_then(|error| error.source()) {
        Some(cause) => anyhow::anyhow!("{cause}"),
        None => error.into(),
    }
}
