//! Reads of a Linux program what decides whether it runs in an image without a C library: its processor, its interpreter, its
//! sections. Only 64-bit little-endian programs, as both of ours are.

use anyhow::{Context, ensure};

use crate::arch::Arch;

/// The numbers of the processors in the header.
const X86_64: u16 = 62;
const AARCH64: u16 = 183;
/// The kind of a program header that names the dynamic loader.
const INTERPRETER: u32 = 3;

/// A program.
pub struct Elf<'a>(&'a [u8]);

/// One row of a table in the file.
struct Row<'a>(&'a [u8]);

impl<'a> Elf<'a> {
    /// Of the program's bytes.
    ///
    /// # Errors
    /// It is no program for 64-bit Linux.
    pub fn read(program: &'a [u8]) -> anyhow::Result<Elf<'a>> {
        ensure!(program.starts_with(b"\x7fELF\x02\x01") && program.len() >= 64, "not a program for 64-bit Linux");
        Ok(Elf(program))
    }

    /// Its processor, if there is an image for that.
    pub fn arch(&self) -> Option<Arch> {
        match Row(self.0).short(18)? {
            X86_64 => Some(Arch::Amd64),
            AARCH64 => Some(Arch::Arm64),
            _ => None,
        }
    }

    /// Whether it runs without a dynamic loader, and so without any library.
    pub fn is_static(&self) -> bool {
        let header = Row(self.0);
        let (at, size, count) = (header.long(32), header.short(54), header.short(56));
        let rows = rows(self.0, at, size, count);
        !rows.iter().any(|row| row.word(0) == Some(INTERPRETER))
    }

    /// The content of a section.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn section(&self, name: &str) -> anyhow::Result<&'a [u8]> {
        let header = Row(self.0);
        let rows = rows(self.0, header.long(40), header.short(58), header.short(60));
        let names = header.short(62).and_then(|names| content(self.0, rows.get(usize::from(names))?));
        let is_named = |row: &&Row<'a>| {
            let at = row.word(0).and_then(|at| usize::try_from(at).ok());
            let text = at.and_then(|at| names?.get(at..));
            text.is_some_and(|text| text.strip_prefix(name.as_bytes()).is_some_and(|rest| rest.starts_with(&[0])))
        };
        let found = rows.iter().find(is_named).and_then(|row| content(self.0, row));
        found.with_context(|| format!("the program has no section {name}"))
    }
}

/// What the row of a section points to.
fn content<'a>(file: &'a [u8], row: &Row<'a>) -> Option<&'a [u8]> {
    let (at, size) = (usize::try_from(row.long(24)?).ok()?, usize::try_from(row.long(32)?).ok()?);
    file.get(at..at.checked_add(size)?)
}

fn rows(file: &[u8], at: Option<u64>, size: Option<u16>, count: Option<u16>) -> Vec<Row<'_>> {
    let (Some(at), Some(size), Some(count)) = (at.and_then(|at| usize::try_from(at).ok()), size, count) else {
        return Vec::new();
    };
    let table = file.get(at..).unwrap_or_default();
    table.chunks_exact(usize::from(size).max(1)).take(usize::from(count)).map(Row).collect()
}

impl Row<'_> {
    fn bytes<const SIZE: usize>(&self, at: usize) -> Option<[u8; SIZE]> {
        self.0.get(at..at + SIZE)?.try_into().ok()
    }

    fn short(&self, at: usize) -> Option<u16> {
        self.bytes(at).map(u16::from_le_bytes)
    }

    fn word(&self, at: usize) -> Option<u32> {
        self.bytes(at).map(u32::from_le_bytes)
    }

    fn long(&self, at: usize) -> Option<u64> {
        self.bytes(at).map(u64::from_le_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_very_test_has_its_code_in_a_section_and_needs_a_loader() {
        let program = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let elf = Elf::read(&program).unwrap();
        assert_eq!(elf.arch(), Arch::of_this_machine().ok());
        assert!(!elf.is_static());
        assert!(elf.section(".text").unwrap().len() > 1000);
        assert!(elf.section(".dep-v0").is_err());
    }

    #[test]
    fn bytes_that_lie_about_themselves_are_no_panic() {
        let mut lying = b"\x7fELF\x02\x01".to_vec();
        lying.resize(200, 0xff);
        let elf = Elf::read(&lying).unwrap();
        assert!(elf.arch().is_none() && elf.is_static() && elf.section("a").is_err());
        assert!(Elf::read(b"#!/bin/sh").is_err());
    }
}
