//! Says that something happened in a folder of log files, as soon as the kernel does (inotify).
//!
//! Refuses to be needed: where the kernel tells nothing, the files are looked at all the same, only later.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use futures_util::StreamExt as _;
use inotify::{EventMask, EventOwned, EventStream, Inotify, WatchDescriptor, WatchMask};

/// What is to be done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Woken {
    /// Nothing.
    #[default]
    Nothing,
    /// A file was written to.
    Reading,
    /// A file came, went or got another name.
    Looking,
}

/// Holds a few dozen events at once.
const BUFFER: usize = 4096;

/// The folders that are watched.
#[derive(Default)]
pub(super) struct Wake {
    events: Option<EventStream<Vec<u8>>>,
    folders: BTreeMap<PathBuf, WatchDescriptor>,
    /// It was said that the kernel refuses.
    refused: bool,
}

impl Wake {
    /// Watches these folders and no others.
    pub(super) fn watch(&mut self, folders: &BTreeSet<PathBuf>) {
        if folders.is_empty() && self.events.is_none() {
            return;
        }
        if self.events.is_none() {
            match Inotify::init().and_then(|inotify| inotify.into_event_stream(vec![0; BUFFER])) {
                Ok(events) => self.events = Some(events),
                Err(error) => return self.refuse(&error),
            }
        }
        let Some(mut watches) = self.events.as_ref().map(EventStream::watches) else {
            return;
        };
        let left: Vec<PathBuf> = self
            .folders
            .keys()
            .filter(|folder| !folders.contains(*folder))
            .cloned()
            .collect();
        for folder in left {
            if let Some(descriptor) = self.folders.remove(&folder) {
                // The kernel may have dropped it with its folder.
                let _ = watches.remove(descriptor);
            }
        }
        let wanted =
            WatchMask::MODIFY | WatchMask::CREATE | WatchMask::DELETE | WatchMask::MOVE | WatchMask::ONLYDIR;
        for folder in folders {
            if self.folders.contains_key(folder) {
                continue;
            }
            match watches.add(folder, wanted) {
                Ok(descriptor) => drop(self.folders.insert(folder.clone(), descriptor)),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => self.refuse(&error),
            }
        }
    }

    /// Waits for the next event; for ever where the kernel tells nothing.
    pub(super) async fn next(&mut self) -> Woken {
        let Some(events) = &mut self.events else {
            return std::future::pending().await;
        };
        match events.next().await {
            Some(Ok(event)) => self.understand(&event),
            Some(Err(error)) => {
                self.refuse(&error);
                self.forget();
                Woken::Looking
            }
            None => {
                self.forget();
                Woken::Looking
            }
        }
    }

    fn understand(&mut self, event: &EventOwned) -> Woken {
        if event.mask.contains(EventMask::IGNORED) {
            self.folders.retain(|_, descriptor| *descriptor != event.wd);
        }
        if event.mask == EventMask::MODIFY {
            Woken::Reading
        } else {
            Woken::Looking
        }
    }

    fn forget(&mut self) {
        self.events = None;
        self.folders.clear();
    }

    fn refuse(&mut self, error: &std::io::Error) {
        if !std::mem::replace(&mut self.refused, true) {
            tracing::warn!(%error, "the kernel does not tell when log files change; they are looked at every other second instead");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Wake, Woken};

    #[tokio::test]
    async fn the_kernel_tells_of_new_files_and_of_growing_ones_and_of_folders_that_go() {
        let folder = tempfile::tempdir().unwrap();
        let logs = folder.path().join("logs");
        std::fs::create_dir(&logs).unwrap();
        let mut wake = Wake::default();
        wake.watch(&[logs.clone()].into());
        std::fs::write(logs.join("run.log"), "").unwrap();
        assert_eq!(wake.next().await, Woken::Looking);
        std::fs::write(logs.join("run.log"), "a line\n").unwrap();
        while wake.next().await != Woken::Reading {}
        std::fs::remove_dir_all(&logs).unwrap();
        while !wake.folders.is_empty() {
            wake.next().await;
        }
        std::fs::create_dir(&logs).unwrap();
        wake.watch(&[logs.clone()].into());
        std::fs::write(logs.join("run.log"), "").unwrap();
        assert_eq!(wake.next().await, Woken::Looking);
        assert!(!wake.refused);
    }
}
