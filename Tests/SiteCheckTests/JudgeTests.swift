// The judgement of sites that are made up.

import ClusterModel
import PostgreSQLStorage
import Storage
import Testing

@testable import SiteCheck

@Suite("Judging an OAR 2 site")
struct JudgeTests {
  @Test("a healthy site can take everything, and is told how, and how to go back")
  func healthy() throws {
    let report = Judge.report(healthySite())
    #expect(report.isPossible)
    #expect(report.findings(.problem) == [])
    #expect(report.findings(.note) == [])
    #expect(report.steps.map(\.part) == [.kamelot, .kao, .server])
    #expect(
      report.steps[0].commands == [
        "ln -s /usr/lib/oar/kamelot /usr/lib/oar/schedulers/kamelot",
        "oarnotify --remove-queue default; oarnotify --add-queue default,3,kamelot",
      ])
    #expect(
      report.steps[0].back == [
        "oarnotify --remove-queue default; oarnotify --add-queue default,3,\(gantt)"
      ])
    #expect(
      report.steps[0].changes == [
        "link /usr/lib/oar/schedulers/kamelot to /usr/lib/oar/kamelot",
        "table queues: the scheduler of default, now \(gantt)",
        "no table is made, no service is restarted, no job is touched",
      ])
    #expect(report.steps[1].commands.contains("echo 'META_SCHED_CMD=\"kao\"' >>/etc/oar/oar.conf"))
    #expect(
      report.steps[1].back.first == "echo 'META_SCHED_CMD=\"oar_meta_sched\"' >>/etc/oar/oar.conf")
    let tables = report.steps[2].changes.first { $0.contains("liburna_facts") }
    #expect(tables?.contains("none of OAR's is altered") == true)
    #expect(report.steps[2].back == ["systemctl stop liburnad", "systemctl start oar-server"])
  }

  @Test("MySQL is refused clearly, for all parts")
  func mySQL() {
    let report = Judge.report(healthySite("DB_TYPE=\"mysql\"") { $0.database = .notAsked })
    let finding = report.finding("DB_TYPE")
    #expect(finding?.state == .problem)
    #expect(finding?.fact.contains("does not work on MySQL") == true)
    #expect(finding?.remedy?.contains("move OAR's database to PostgreSQL first") == true)
    #expect(SitePart.allCases.allSatisfy { !report.problems(of: $0).isEmpty })
  }

  @Test("a variable that nobody knows is named, with the one that may be meant")
  func unknown() {
    let report = Judge.report(
      healthySite("SCHEDULER_TIMOUT=\"3\"\nOUR_SITE=1\n# COMMENTED_OUT=\"x\""))
    #expect(report.finding("SCHEDULER_TIMOUT")?.state == .note)
    #expect(report.finding("SCHEDULER_TIMOUT")?.remedy == "is SCHEDULER_TIMEOUT meant?")
    #expect(report.finding("OUR_SITE")?.state == .note)
    #expect(report.finding("OUR_SITE")?.remedy == nil)
    #expect(report.isPossible)
  }

  @Test("variables without effect are told to whom they matter")
  func withoutEffect() {
    let report = Judge.report(healthySite("FINAUD_FREQUENCY=\"300\"\nPINGCHECKER_X=\"a\""))
    let finding = report.finding("without effect")
    #expect(finding?.fact.contains("FINAUD_FREQUENCY, PINGCHECKER_X") == true)
    #expect(finding?.parts == [.server])
    #expect(report.restricted(to: [.kamelot]).finding("without effect") == nil)
  }

  @Test("labels that are no columns, or lie across each other, are said")
  func labels() {
    let wrong = Judge.report(healthySite("HIERARCHY_LABELS=\"resource_id,network_address,rack\""))
    #expect(wrong.finding("HIERARCHY_LABELS")?.fact.contains("\"rack\"") == true)
    #expect(wrong.finding("HIERARCHY_LABELS")?.state == .note)
    let across = Judge.report(
      healthySite { readings in
        readings.change { survey in
          for index in 0..<4 {
            survey.cluster?.resources[index].properties["core"] = .integer(index % 2)
          }
        }
      })
    #expect(across.finding("HIERARCHY_LABELS")?.fact.contains("several blocks") == true)
    let none = Judge.report(healthySite("HIERARCHY_LABELS=\"\""))
    #expect(
      none.finding("HIERARCHY_LABELS")?.remedy
        == "HIERARCHY_LABELS=\"resource_id,core,network_address\"")
  }

  @Test("a table that we can't do without keeps all parts away, another one none")
  func missingTables() {
    let fatal = Judge.report(healthySite { $0.change { $0.tables["frag_jobs"] = nil } })
    #expect(fatal.findings(.problem).map(\.fact) == ["missing: frag_jobs"])
    #expect(!fatal.isPossible)
    let old = Judge.report(
      healthySite {
        $0.change {
          $0.tables["walltime_change"] = nil
          $0.tables["jobs"]?.columns.removeAll { $0.name == "array_index" }
          $0.schemaVersion = "2.4.6"
        }
      })
    #expect(old.isPossible)
    #expect(
      old.findings(.note).map(\.fact) == [
        "2.4.6: tried are 2.5.x; what is missing counts as its default",
        "missing, and done without: walltime_change",
        "missing, and taken for their defaults: jobs.array_index",
      ])
  }

  @Test("a column of the site's that must be given keeps those away who add rows there")
  func refusingColumn() {
    let column = DatabaseSurvey.Column(name: "audit", mustBeGiven: true)
    let report = Judge.report(
      healthySite { $0.change { $0.tables["event_logs"]?.columns.append(column) } })
    let problem = report.findings(.problem).first
    #expect(problem?.fact.hasPrefix("event_logs.audit has no default") == true)
    #expect(problem?.parts == [.kao, .server])
    #expect(report.restricted(to: [.kamelot]).isPossible)
  }

  @Test("rights that are missing keep those parts away that need them")
  func rights() {
    let report = Judge.report(
      healthySite {
        $0.change {
          $0.tables["queues"]?.isWritable = false
          $0.mayMakeTables = false
        }
      })
    #expect(report.problems(of: .kamelot) == [])
    #expect(report.problems(of: .kao).map(\.fact) == ["oar may not write queues"])
    #expect(report.problems(of: .server).count == 2)
    let copy = Judge.report(healthySite { $0.change { $0.isReadOnly = true } })
    #expect(copy.problems(of: .kamelot).map(\.subject) == ["writing"])
  }

  @Test("a queue whose scheduler does not exist is kao's problem, and kamelot its remedy")
  func missingScheduler() {
    let site = healthySite { $0.schedulers = ["kamelot"] }
    let report = Judge.report(site)
    #expect(report.finding("queue default")?.state == .problem)
    #expect(report.finding("queue default")?.parts == [.kao])
    #expect(report.finding("queue default")?.remedy?.hasSuffix("default,3,kamelot") == true)
    var internally = site
    internally.configuration = .success(settings + "METASCHEDULER_MODE=\"internal\"")
    #expect(Judge.report(internally).isPossible)
  }

  @Test("a queue that names kamelot needs the link, unless kao plans it")
  func missingLink() {
    func site(_ more: String) -> SiteReadings {
      healthySite(more) { $0.change { $0.cluster?.queues[0].policy = "kamelot" } }
    }
    let report = Judge.report(site(""))
    #expect(report.problems(of: .kamelot).map(\.subject) == ["queue default"])
    #expect(report.problems(of: .kao) == [])
    #expect(Judge.report(site("META_SCHED_CMD=\"kao\"")).isPossible)
  }

  @Test("who listens on the port is said")
  func ports() {
    func finding(_ port: PortReading) -> SiteFinding? {
      Judge.report(healthySite { $0.port = port }).finding("port 6666")
    }
    #expect(finding(.program("/usr/bin/perl /usr/lib/oar/Almighty"))?.state == .ok)
    #expect(finding(.program("/usr/sbin/liburnad"))?.state == .ok)
    #expect(finding(.program("nc"))?.state == .problem)
    #expect(finding(.nobody)?.state == .note)
    #expect(finding(.somebody)?.state == .note)
    #expect(finding(.elsewhere("head"))?.fact.contains("head") == true)
  }

  @Test("an oar.conf that can't be read is the only thing that is said of the settings")
  func unreadable() {
    let report = Judge.report(
      healthySite {
        $0.configuration = .failure(Unreadable(reason: "Permission denied"))
        $0.database = .notAsked
      })
    #expect(report.findings(.problem).map(\.subject) == ["oar.conf"])
    #expect(report.steps.allSatisfy { $0.commands.isEmpty && $0.changes.isEmpty })
    #expect(!report.isPossible)
  }

  @Test("values that stop the server alone leave the planners alone")
  func unusable() {
    let report = Judge.report(
      healthySite {
        $0.unusable = [
          UnusableValue(name: "JOBDEL_WALLTIME", text: "JOBDEL_WALLTIME=\"x\" …", isServers: true)
        ]
      })
    #expect(report.problems(of: .kamelot) == [])
    #expect(report.problems(of: .server).map(\.subject) == ["JOBDEL_WALLTIME"])
    let policy = Judge.report(
      healthySite { $0.unusable = [UnusableValue(name: "QUOTAS_CONF_FILE", text: "…")] })
    #expect(SitePart.allCases.allSatisfy { policy.problems(of: $0).count == 1 })
  }

  @Test("rows that are set aside are named, the many counted")
  func setAside() {
    let report = Judge.report(
      healthySite {
        $0.change { $0.cluster?.problems = (1...14).map { "job \($0) makes no sense" } }
      })
    let said = report.sections.flatMap(\.findings).filter { $0.subject == "set aside" }
    #expect(said.count == 11)
    #expect(said.last?.fact == "4 more rows")
    #expect(report.isPossible)
  }
}

@Suite("The variables that the doctor knows")
struct KnownVariablesTests {
  @Test("ours are those of Packaging/oar.conf")
  func ours() throws {
    let root = #filePath.dropLast("/Tests/SiteCheckTests/JudgeTests.swift".count)
    let text = try String(decoding: readWhole("\(root)/Packaging/oar.conf"), as: UTF8.self)
    let names = text.split(separator: "\n").compactMap { line in
      line.firstMatch(of: #/^#([A-Z][A-Z0-9_]*)="/#).map { String($0.1) }
    }
    #expect(names.count > 80)
    #expect(Set(names).symmetricDifference(KnownVariables.ours) == [])
  }

  @Test("names that begin alike are known by their beginning")
  func families() {
    #expect(KnownVariables.reader(of: "PHOENIX_LOGDIR") == .tools)
    #expect(KnownVariables.reader(of: "OARSUB_NODES_RESOURCES") == .liburna)
    #expect(KnownVariables.reader(of: "REDIS_PORT") == .oar3)
    #expect(KnownVariables.reader(of: "NOTHING_OF_THE_KIND") == nil)
    #expect(KnownVariables.similar(to: "NOTHING_OF_THE_KIND") == nil)
    #expect(KnownVariables.similar(to: "QOUTAS") == "QUOTAS")
  }
}
