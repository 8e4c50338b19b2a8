//! The unix socket as a file: made for its owner only, replaced when stale, removed at the end.
//!
//! Promises never to remove what is no socket, nor a socket on which somebody answers, nor one that is not its own.

use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixStream};

use super::HttpError;

/// Only its owner may connect.
const OWNER_ONLY: u32 = 0o600;
/// The superuser, who may do anything anyway.
const ROOT: u32 = 0;

/// A bound socket; dropping it removes the file.
#[derive(Debug)]
pub(super) struct SocketFile {
    listener: UnixListener,
    path: PathBuf,
    /// Device and inode, to know the file again.
    file: (u64, u64),
    owner: u32,
}

impl SocketFile {
    /// Makes the socket in the place of a stale one.
    pub(super) fn bind(path: &Path) -> Result<Self, HttpError> {
        clear_stale(path)?;
        let failed = |source| HttpError::Socket {
            path: path.to_owned(),
            source,
        };
        let listener = UnixListener::bind(path).map_err(failed)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(OWNER_ONLY)).map_err(failed)?;
        let metadata = std::fs::symlink_metadata(path).map_err(failed)?;
        let file = (metadata.dev(), metadata.ino());
        Ok(Self {
            listener,
            path: path.to_owned(),
            file,
            owner: metadata.uid(),
        })
    }

    /// The next connection with the user behind it; `None` if that is neither the owner nor root, which the file's mode alone
    /// cannot promise for the instant between its making and its closing.
    pub(super) async fn accept(&self) -> io::Result<Option<(UnixStream, u32)>> {
        let (stream, _) = self.listener.accept().await?;
        let user = stream.peer_cred()?.uid();
        Ok((user == self.owner || user == ROOT).then_some((stream, user)))
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let ours = std::fs::symlink_metadata(&self.path).is_ok_and(|it| (it.dev(), it.ino()) == self.file);
        if ours {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Removes a socket file that a killed migwatch left behind.
fn clear_stale(path: &Path) -> Result<(), HttpError> {
    let Ok(metadata) = std::fs::symlink_metadata(path) else {
        return Ok(());
    };
    if !metadata.file_type().is_socket() {
        return Err(HttpError::NotASocket {
            path: path.to_owned(),
        });
    }
    match std::os::unix::net::UnixStream::connect(path) {
        Ok(_) => Err(HttpError::SocketTaken {
            path: path.to_owned(),
        }),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            std::fs::remove_file(path).map_err(|source| HttpError::Socket {
                path: path.to_owned(),
                source,
            })
        }
        Err(source) => Err(HttpError::Socket {
            path: path.to_owned(),
            source,
        }),
    }
}
