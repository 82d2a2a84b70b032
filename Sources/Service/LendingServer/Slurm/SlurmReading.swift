// What Slurm's commands print, read. Lines that can't be read are told, and harm no other.

/// Lines of `squeue` and `sinfo`, in formats of our own.
enum SlurmReading {
  /// A job a line: its number, its state, its hosts, its start in seconds of the epoch, the hosts it is planned on.
  static let jobFormat = "%A|%T|%N|%S|%Y"
  /// A host a line, once for each partition: its name, its state, why it is drained.
  static let hostFormat = "%N|%T|%E"
  /// What marks hosts that we drained.
  static let mark = "bebida: "

  /// States in which a host takes jobs, as sinfo names them; others, and those with `*`, do not answer or are an
  /// administrator's.
  private static let usable: Set<Substring> = [
    "idle", "mixed", "allocated", "completing", "reserved", "planned", "allocated+",
  ]

  static func picture(
    jobs: String, hosts: String, now: Int
  ) -> (picture: BatchPicture, problems: [String]) {
    var picture = BatchPicture()
    var problems: [String] = []
    for line in hosts.split(separator: "\n") {
      let fields = line.split(separator: "|", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3, !fields[0].isEmpty else {
        problems.append("sinfo: \(line)")
        continue
      }
      picture.hosts[String(fields[0])] = usable.contains(fields[1])
      if fields[2].hasPrefix(mark) { picture.excluded.insert(String(fields[0])) }
    }
    for line in jobs.split(separator: "\n") {
      do throws(HostListError) {
        try read(line, now: now, &picture)
      } catch {
        problems.append("squeue: \(line): \(error)")
      }
    }
    return (picture, problems)
  }

  /// What `scontrol show config` tells: a setting a line, `(null)` for none.
  static func settings(_ text: String) -> [String: String] {
    var settings: [String: String] = [:]
    for line in text.split(separator: "\n") {
      guard let sign = line.firstIndex(of: "=") else { continue }
      let name = line[..<sign].filter { $0 != " " }
      let value = line[line.index(after: sign)...].drop { $0 == " " }
      if !value.isEmpty, value != "(null)" { settings[String(name)] = String(value) }
    }
    return settings
  }

  private static func read(
    _ line: Substring, now: Int, _ picture: inout BatchPicture
  ) throws(HostListError) {
    let fields = line.split(separator: "|", omittingEmptySubsequences: false)
    guard fields.count == 5, !fields[0].isEmpty else {
      throw HostListError(description: "five fields were wanted")
    }
    if fields[1] == "PENDING" {
      guard let start = Int(fields[3]), !fields[4].isEmpty, fields[4] != "(null)" else { return }
      let seconds = Double(max(0, start - now))
      for host in try HostList.hosts(fields[4]) {
        picture.starts[host] = min(picture.starts[host] ?? seconds, seconds)
      }
    } else {
      let hosts = try HostList.hosts(fields[2])
      if !hosts.isEmpty { picture.jobs[String(fields[0]), default: []].formUnion(hosts) }
    }
  }
}
