// OAR 2, looked at in its database; what it is to do is said by its own commands and in its event log.

import ClusterModel
import Glibc
import PostgreSQLStorage
import Storage
import Wire

/// A running OAR 2 server.
final class OARSide: BatchSide {
  /// Events of ours, for administrators (`oarnodes --events`) and for us after a start: hosts that we excluded, and
  /// gave back.
  static let excluded = "BEBIDA_EXCLUDED"
  static let returned = "BEBIDA_RETURNED"

  private let commands: BatchCommands
  private let database: Database
  private let path: String

  /// - Throws: ``ConfigurationError`` or ``ConnectionError`` for an `oar.conf` (BEBIDA_OAR_CONF) that can't be used.
  init(_ configuration: Configuration, loop: EventLoop) throws {
    path = configuration.text("BEBIDA_OAR_CONF", default: Configuration.standardPath)
    let site = try Configuration.contents(of: path)
    guard ["pg", "postgresql"].contains(site.text("DB_TYPE", default: "Pg").lowercased()) else {
      throw ConfigurationError(
        name: "DB_TYPE", value: site.text("DB_TYPE", default: ""),
        allowed:
          "Pg: bebidad reads PostgreSQL databases of OAR alone; with liburnad it is not needed")
    }
    database = Database(try PostgreSQLSettings(site))
    commands = BatchCommands(
      loop: loop,
      environment: [
        "PATH": configuration.text(
          "BEBIDA_OAR_PATH", default: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        ),
        "OARCONFFILE": path,
      ])
  }

  func look() async throws -> BatchPicture {
    let (use, marked) = try await database.look()
    let now = time(nil)
    var picture = BatchPicture()
    picture.hosts = use.hosts
    for (job, hosts) in use.jobs { picture.jobs[String(job)] = hosts }
    picture.starts = use.starts.mapValues { Double(max(0, $0 - now)) }
    // An administrator who sets one Alive takes it out of our hands.
    picture.excluded = marked.filter { use.hosts[$0] == false }
    return picture
  }

  func setUsable(_ isUsable: Bool, _ host: String, reason: String) async throws {
    if isUsable {
      try await database.ask(
        .alive, of: host, JobEvent(Self.returned, job: 0, at: time(nil), "", hosts: [host]))
    } else {
      try await database.ask(
        .suspected, of: host, JobEvent(Self.excluded, job: 0, at: time(nil), reason, hosts: [host]))
    }
    await lookAtStates()
  }

  /// The event that OAR's launcher writes itself when a host does not answer before a job: OAR suspects these hosts
  /// alone, ends the job and submits it again. No queue is stopped.
  func giveUp(_ job: String, bad: Set<String>, reason: String) async throws {
    guard let job = JobID(job) else { return }
    try await database.giveUp(
      JobEvent(
        "PING_CHECKER_NODE_SUSPECTED", job: job, at: time(nil), "bebida: \(reason)",
        hosts: bad.sorted()))
    await lookAtStates()
  }

  func check() async -> [LendingFinding] {
    do {
      let site = try Configuration.contents(of: path)
      return [
        found(hook: site["SERVER_PROLOGUE_EXEC_FILE"], as: "SERVER_PROLOGUE_EXEC_FILE"),
        found(hook: site["SERVER_EPILOGUE_EXEC_FILE"], as: "SERVER_EPILOGUE_EXEC_FILE"),
        found(
          limit: try site.integer("SERVER_PROLOGUE_EPILOGUE_TIMEOUT", default: 60, in: 0...Int.max),
          as: "SERVER_PROLOGUE_EPILOGUE_TIMEOUT"),
      ]
    } catch {
      return [LendingFinding(.bad, "\(error)")]
    }
  }

  /// Without it OAR looks after some time.
  private func lookAtStates() async { _ = try? await commands.output(["oarnotify", "ChState"]) }
}

/// The connection, made when it is needed first.
private actor Database {
  private let settings: PostgreSQLSettings
  private var opening: Task<any HostUseStorage, any Error>?
  private var marked: Set<String> = []

  init(_ settings: PostgreSQLSettings) { self.settings = settings }

  func look() async throws -> (use: HostUse, marked: Set<String>) {
    let storage = try await open()
    return (try await storage.hostUse(), marked)
  }

  /// Once for a job: it may be asked for again by who did not hear the answer.
  func giveUp(_ event: JobEvent) async throws {
    let storage = try await open()
    let before = try await storage.events(.job(event.job))
    guard !before.contains(where: { $0.type == event.type }) else { return }
    var changes: [Change] = [.eventToCheck(event)]
    if !event.hosts.isEmpty {
      var mark = event
      mark.type = OARSide.excluded
      changes.append(.event(mark))
    }
    try await storage.commit(changes)
    marked.formUnion(event.hosts)
  }

  /// Asks OAR to give a host a state, and leaves a mark of it in the event log.
  func ask(_ state: ResourceState, of host: String, _ mark: JobEvent) async throws {
    try await open().commit([.stateWished(state, host: host), .event(mark)])
    if state == .alive { marked.remove(host) } else { marked.insert(host) }
  }

  private func open() async throws -> any HostUseStorage {
    let attempt =
      opening
      ?? Task {
        let storage = try await PostgreSQLStorage.open(settings, .shared)
        marked = try await storage.hosts(from: OARSide.excluded, to: OARSide.returned)
        return storage
      }
    opening = attempt
    do {
      return try await attempt.value
    } catch {
      if opening == attempt { opening = nil }
      throw error
    }
  }
}
