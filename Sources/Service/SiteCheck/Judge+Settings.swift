// oar.conf: whether it can be read, which database it names, values that can't be used, and variables without
// effect.

import ClusterModel

extension Judge {
  func settings() -> [SiteFinding] {
    if case .failure(let failure) = readings.configuration {
      return [
        SiteFinding(
          "oar.conf", .problem, "\(readings.configurationPath) can't be read: \(failure.reason)",
          remedy: "run this as root or oar on the host of OAR's server, or set OARCONFFILE")
      ]
    }
    let file = SiteFinding(
      "oar.conf", .ok, "\(readings.configurationPath), \(variables.count) variables")
    return [file, databaseType()] + unusable() + unknown() + withoutEffect()
      + [policy()]
      .compactMap { $0 }
  }

  private func databaseType() -> SiteFinding {
    let type = configuration["DB_TYPE"] ?? ""
    switch type.lowercased() {
    case "pg", "postgresql": return SiteFinding("DB_TYPE", .ok, "\(type), PostgreSQL")
    case "mysql", "mariadb":
      return SiteFinding(
        "DB_TYPE", .problem, "\(type): Liburna does not work on MySQL or MariaDB databases",
        remedy: "move OAR's database to PostgreSQL first, then DB_TYPE=\"Pg\"")
    default:
      return SiteFinding(
        "DB_TYPE", .problem,
        type.isEmpty
          ? "not set: this is no oar.conf of an OAR 2 server"
          : "\(type): OAR 2's database must be PostgreSQL",
        remedy: "OARCONFFILE names another oar.conf")
    }
  }

  private func unusable() -> [SiteFinding] {
    readings.unusable.map { value in
      if value.isServers {
        return SiteFinding(value.name, .problem, value.text, for: [.server])
      }
      // Without it nobody knows who may have what: no job would start.
      let isPolicy = Self.policies.contains(value.name)
      return SiteFinding(
        value.name, .problem, value.text, for: isPolicy ? Set(SitePart.allCases) : [.server])
    }
  }

  private static let policies: Set<String> = [
    "QUOTAS", "QUOTAS_CONF_FILE", "QUOTAS_WINDOW_TIME_LIMIT", "JOB_PRIORITY", "PRIORITY_CONF_FILE",
  ]

  private func unknown() -> [SiteFinding] {
    let unknown = variables.filter { KnownVariables.reader(of: $0) == nil }
    guard !unknown.isEmpty else {
      return [SiteFinding("unknown variables", .ok, "none: each is known to OAR 2, OAR 3 or us")]
    }
    return unknown.prefix(20).map { name in
      let similar = KnownVariables.similar(to: name)
      return SiteFinding(
        name, .note, "known neither to OAR 2 nor to OAR 3 nor to us: it has no effect",
        remedy: similar.map { "is \($0) meant?" })
    }
  }

  private func withoutEffect() -> [SiteFinding] {
    func set(_ reader: VariableReader) -> [String] {
      variables.filter { KnownVariables.reader(of: $0) == reader }
    }
    let groups: [(VariableReader, String, Set<SitePart>)] = [
      (.planners, "of OAR 2's schedulers alone", [.kamelot, .server]),
      (.oar3, "of OAR 3 alone", Set(SitePart.allCases)),
      (.server, "of OAR 2's server, whose place liburnad has", [.server]),
    ]
    return groups.compactMap { reader, whose, parts in
      let names = set(reader)
      return names.isEmpty
        ? nil
        : SiteFinding("without effect", .note, "\(whose): \(Self.list(names))", for: parts)
    }
  }

  /// OAR 2 has fair shares and quotas in the names of schedulers and in Perl, we have them in variables.
  private func policy() -> SiteFinding? {
    guard let path = readings.perlQuotas,
      cluster?.queues.contains(where: { $0.policy.contains("quotas") }) ?? true,
      (try? configuration.flag("QUOTAS", default: false)) != true
    else { return nil }
    return SiteFinding(
      "quotas", .note, "\(path) is a Perl program: its rules don't count with us",
      remedy: "write them as JSON (Docs/Quotas.md), then QUOTAS=\"yes\" and QUOTAS_CONF_FILE",
      for: [.kamelot, .server])
  }
}
