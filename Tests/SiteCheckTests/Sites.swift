// Sites for tests: one that is well, and changes to it.

import ClusterModel
import Glibc
import PostgreSQLStorage
import Storage

@testable import SiteCheck

/// What OAR calls its usual scheduler.
let gantt = "oar_sched_gantt_with_timesharing"

/// The oar.conf of a site that is well.
let settings = """
  DB_TYPE="Pg"
  DB_BASE_LOGIN="oar"
  HIERARCHY_LABELS="resource_id,network_address,core"

  """

/// A site that can take everything.
///
/// - Parameter more: lines for its oar.conf; later ones win.
func healthySite(
  _ more: String = "", _ change: (inout SiteReadings) -> Void = { _ in }
) -> SiteReadings {
  var readings = SiteReadings()
  readings.configuration = .success(settings + more)
  readings.packages = ["oar-server": "2.5.9-1+deb12u1"]
  readings.programs = ["Almighty", "bipbip", "Leon", "oar_meta_sched"]
  readings.schedulers = [gantt]
  readings.ownPrograms = [
    "kamelot": "/usr/lib/oar/kamelot", "kao": "/usr/lib/liburna/kao",
    "liburnad": "/usr/lib/liburna/liburnad", "liburna-node": "/usr/lib/liburna/liburna-node",
  ]
  readings.port = .program("/usr/bin/perl /usr/lib/oar/Almighty")
  readings.database = .read(healthySurvey())
  change(&readings)
  return readings
}

private func healthySurvey() -> DatabaseSurvey {
  var survey = DatabaseSurvey()
  survey.serverVersion = "15.14"
  survey.schemaVersion = "2.5.10"
  for table in oarSchema {
    survey.tables[table.name] = DatabaseSurvey.Table(
      columns: table.columns.map { DatabaseSurvey.Column(name: $0.name) })
  }
  var cluster = StoredCluster()
  cluster.properties = [PropertyDefinition(name: "core", kind: .integer)]
  cluster.queues = [Queue(name: "default", priority: 3, policy: gantt)]
  for id in 1...4 {
    var resource = Resource(id: id)
    resource.networkAddress = "node\((id + 1) / 2)"
    resource.properties = ["core": .integer(id)]
    cluster.resources.append(resource)
  }
  survey.cluster = cluster
  return survey
}

extension SiteReadings {
  /// Changes what was asked of the database.
  mutating func change(_ body: (inout DatabaseSurvey) -> Void) {
    guard case .read(var survey) = database else { return }
    body(&survey)
    database = .read(survey)
  }
}

extension SiteReport {
  func findings(_ state: SiteFinding.State) -> [SiteFinding] {
    sections.flatMap(\.findings).filter { $0.state == state }
  }

  /// The first about something.
  func finding(_ subject: String) -> SiteFinding? {
    sections.flatMap(\.findings).first { $0.subject == subject }
  }
}

/// A whole file.
func readWhole(_ path: String) throws -> [UInt8] {
  guard let file = fopen(path, "r") else { throw MissingFile(path: path) }
  defer { fclose(file) }
  var bytes = [UInt8](repeating: 0, count: 1 << 20)
  bytes.removeLast(bytes.count - fread(&bytes, 1, bytes.count, file))
  return bytes
}

struct MissingFile: Error {
  var path: String
}
