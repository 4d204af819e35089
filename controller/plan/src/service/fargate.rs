//! The task sizes that Fargate has. Source: Amazon ECS developer guide, "Task CPU and memory".

/// The memory that goes with a number of CPU units: smallest, largest and step, in MiB.
fn range(cpu: i32) -> Option<(i32, i32, i32)> {
    match cpu {
        256 => Some((512, 2048, 512)),
        512 => Some((1024, 4096, 1024)),
        1024 => Some((2048, 8192, 1024)),
        2048 => Some((4096, 16384, 1024)),
        4096 => Some((8192, 30720, 1024)),
        8192 => Some((16384, 61440, 4096)),
        16384 => Some((32768, 122_880, 8192)),
        _ => None,
    }
}

/// Whether Fargate has a task of that size.
pub fn has(cpu: i32, memory: i32) -> bool {
    let odd_quarter = cpu == 256 && memory == 1536;
    range(cpu).is_some_and(|(least, most, step)| (least..=most).contains(&memory) && memory % step == 0) && !odd_quarter
}

/// The memory that goes with a number of CPU units, in words.
pub fn memories(cpu: i32) -> String {
    match range(cpu) {
        Some((_, _, 512)) => "512, 1024 or 2048".to_owned(),
        Some((least, most, step)) => format!("{least} to {most} in steps of {step}"),
        None => "one that goes with it".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::has;

    #[test]
    fn fargate_has_the_sizes_of_its_table_and_no_others() {
        for (cpu, memory) in
            [(256, 512), (256, 1024), (256, 2048), (512, 4096), (1024, 3072), (8192, 20480), (16384, 122_880)]
        {
            assert!(has(cpu, memory), "{cpu} {memory}");
        }
        for (cpu, memory) in [(256, 1536), (256, 4096), (300, 512), (512, 512), (8192, 17408), (16384, 30720)] {
            assert!(!has(cpu, memory), "{cpu} {memory}");
        }
    }
}
