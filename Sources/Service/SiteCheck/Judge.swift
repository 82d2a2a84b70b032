// What readings of a site mean for taking kamelot, kao or the server there: a pure function.

import ClusterModel
import PostgreSQLStorage
import Storage

/// Judges a site.
struct Judge {
  let readings: SiteReadings
  let configuration: Configuration
  /// The names that are set in `oar.conf`, in order.
  let variables: [String]
  let survey: DatabaseSurvey?
  let cluster: StoredCluster?

  /// Everything that is to be said about a site.
  static func report(_ readings: SiteReadings) -> SiteReport {
    let judge = Judge(readings)
    let sections = [
      SiteSection(title: "This host", findings: judge.host()),
      SiteSection(title: "Settings", findings: judge.settings()),
      SiteSection(title: "Database", findings: judge.database()),
      SiteSection(title: "Resources", findings: judge.resources()),
      SiteSection(title: "Queues", findings: judge.queues()),
      SiteSection(title: "Jobs", findings: judge.jobs()),
    ]
    return SiteReport(
      sections: sections.filter { !$0.findings.isEmpty },
      steps: SitePart.allCases.map { judge.step($0) })
  }

  private init(_ readings: SiteReadings) {
    self.readings = readings
    let text = (try? readings.configuration.get()) ?? ""
    configuration = Configuration(parsing: text)
    variables = Self.names(in: text, configuration)
    if case .read(let survey) = readings.database { self.survey = survey } else { survey = nil }
    cluster = survey?.cluster
  }

  /// The names of variables, in the order of their first lines.
  private static func names(in text: String, _ configuration: Configuration) -> [String] {
    var seen: Set<String> = []
    return text.split(whereSeparator: \.isNewline).compactMap { line in
      let name = line.prefix { $0 != "=" }.split(whereSeparator: \.isWhitespace)
      guard name.count == 1, configuration[String(name[0])] != nil,
        seen.insert(String(name[0])).inserted
      else { return nil }
      return String(name[0])
    }
  }

  /// A list for people; the end of a long one is counted.
  static func list(_ names: some Sequence<String>, limit: Int = 40) -> String {
    let names = Array(names)
    let shown = names.prefix(limit).joined(separator: ", ")
    return names.count > limit ? "\(shown) and \(names.count - limit) more" : shown
  }

  // MARK: The host

  func host() -> [SiteFinding] {
    [user(), package()] + programs() + [port()].compactMap { $0 }
  }

  private func user() -> SiteFinding {
    ["root", "oar"].contains(readings.user)
      ? SiteFinding("user", .ok, readings.user)
      : SiteFinding(
        "user", .note, "\(readings.user): what only OAR's account may read is not seen",
        remedy: "sudo liburna doctor")
  }

  private func package() -> SiteFinding {
    let subject = "OAR's package"
    guard let version = readings.packages["oar-server"] else {
      return SiteFinding(
        subject, .note, "dpkg knows no oar-server: OAR was installed another way, or not here",
        remedy: "run this on the host of OAR's server")
    }
    return version.hasPrefix("2.5.")
      ? SiteFinding(subject, .ok, "oar-server \(version)")
      : SiteFinding(subject, .note, "oar-server \(version): tried is 2.5.9 of Debian 12")
  }

  private func programs() -> [SiteFinding] {
    let packages = ["kamelot": "liburna-planners", "kao": "liburna-planners"]
    var findings = SitePart.allCases.map { part -> SiteFinding in
      let name = part == .server ? "liburnad" : part.rawValue
      guard let path = readings.ownPrograms[name] else {
        return SiteFinding(
          name, .problem, "not installed here",
          remedy: "install the package \(packages[name] ?? "liburna-server")", for: [part])
      }
      return SiteFinding(name, .ok, path, for: [part])
    }
    if readings.programs.isEmpty {
      findings.append(
        SiteFinding(
          "OARDIR", .problem, "\(readings.directory) holds none of OAR's programs",
          remedy: "set OARDIR in the environment to where they are"))
      return findings
    }
    let missing = ["bipbip", "Leon"].filter { !readings.programs.contains($0) }
    findings.append(
      missing.isEmpty
        ? SiteFinding("OARDIR", .ok, readings.directory)
        : SiteFinding(
          "OARDIR", .problem,
          "\(readings.directory) has no \(Self.list(missing)), which end jobs that OAR 2 started",
          remedy: "set OARDIR in the environment to where OAR's programs are", for: [.server]))
    return findings
  }

  private func port() -> SiteFinding? {
    guard let port = readings.port else { return nil }
    let number = configuration.text("SERVER_PORT", default: "6666")
    let subject = "port \(number)"
    switch port {
    case .program(let name) where name.contains("Almighty"):
      return SiteFinding(subject, .ok, "OAR's server listens (\(name))")
    case .program(let name) where name.contains("liburnad"):
      return SiteFinding(subject, .ok, "liburnad has the place of OAR's server")
    case .program(let name):
      return SiteFinding(
        subject, .problem, "\(name) listens there, which is no server of OAR's",
        remedy: "another SERVER_PORT, or stop it")
    case .somebody:
      return SiteFinding(
        subject, .note, "somebody listens; who, only root may see", remedy: "sudo liburna doctor")
    case .nobody:
      return SiteFinding(
        subject, .note, "nobody listens: OAR's server does not run",
        remedy: "systemctl start oar-server")
    case .elsewhere(let host):
      return SiteFinding(
        subject, .note, "SERVER_HOSTNAME is \(host), which is not this host",
        remedy: "run this on the host of OAR's server")
    }
  }
}
