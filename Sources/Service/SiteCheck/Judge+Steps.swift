// What taking a part would change on the site, the lines that do it, and the way back.

import ClusterModel
import Storage

extension Judge {
  func step(_ part: SitePart) -> SiteStep {
    // What is there now is not known.
    if case .failure = readings.configuration {
      return SiteStep(part: part, changes: [], commands: [], back: [])
    }
    return switch part {
    case .kamelot: kamelotStep()
    case .kao: kaoStep()
    case .server: serverStep()
    }
  }

  private func path(_ program: String, _ standard: String) -> String {
    readings.ownPrograms[program] ?? standard
  }

  private var file: String { readings.configurationPath }

  // MARK: A queue's scheduler

  private func kamelotStep() -> SiteStep {
    let link = "\(readings.schedulersDirectory)/kamelot"
    let target = path("kamelot", "\(readings.directory)/kamelot")
    let queues = (cluster?.queues ?? [Queue(name: "default", priority: 2, policy: "POLICY")])
      .filter { $0.policy != "kamelot" && $0.policy != "kao" }
    var step = SiteStep(part: .kamelot, changes: [], commands: [], back: [])
    if readings.schedulers?.contains("kamelot") != true {
      step.changes.append("link \(link) to \(target)")
      step.commands.append("ln -s \(target) \(link)")
    }
    for queue in queues {
      let call = "oarnotify --remove-queue \(queue.name); oarnotify --add-queue "
      step.changes.append(
        "table queues: the scheduler of \(queue.name), now \(queue.policy)"
      )
      step.commands.append("\(call)\(queue.name),\(queue.priority),kamelot")
      step.back.append("\(call)\(queue.name),\(queue.priority),\(queue.policy)")
    }
    if queues.count > 1 { step.changes.append("any one of these queues can go alone") }
    if queues.isEmpty { step.changes.append("nothing: all queues name kamelot or kao") }
    step.changes.append("no table is made, no service is restarted, no job is touched")
    return step
  }

  // MARK: The metascheduler

  private func kaoStep() -> SiteStep {
    let target = path("kao", "/usr/lib/liburna/kao")
    let link = "\(readings.directory)/kao"
    let present = configuration["META_SCHED_CMD"] ?? "oar_meta_sched"
    var step = SiteStep(part: .kao, changes: [], commands: [], back: [])
    if !readings.programs.contains("kao") {
      step.changes.append("link \(link) to \(target)")
      step.commands.append("ln -s \(target) \(link)")
    }
    if present == "kao" {
      step.changes.append("\(file): nothing, META_SCHED_CMD is kao already")
      step.back = setting("META_SCHED_CMD", to: "oar_meta_sched")
    } else {
      step.changes.append("\(file): META_SCHED_CMD, now \(present); METASCHEDULER_OAR3_WITH_OAR2")
      step.commands += setting("META_SCHED_CMD", to: "kao")
      step.commands += setting("METASCHEDULER_OAR3_WITH_OAR2", to: "yes")
      step.back = setting("META_SCHED_CMD", to: present)
    }
    step.changes.append("service oar-server: restarted, it reads META_SCHED_CMD at its start")
    step.changes.append("no table is made, no job is touched")
    step.commands.append("systemctl restart oar-server")
    step.back.append("systemctl restart oar-server")
    return step
  }

  /// A later line wins, with OAR as with us.
  private func setting(_ name: String, to value: String) -> [String] {
    ["echo '\(name)=\"\(value)\"' >>\(file)"]
  }

  // MARK: The server

  private func serverStep() -> SiteStep {
    let tables = liburnaSchema.map(\.name).filter { survey?.tables[$0] == nil }
    var step = SiteStep(part: .server, changes: [], commands: [], back: [])
    if (try? configuration.flag("LIBURNA_WITH_OAR2", default: false)) != true {
      step.changes.append("\(file): LIBURNA_WITH_OAR2")
      step.commands += setting("LIBURNA_WITH_OAR2", to: "yes")
    }
    step.changes += [
      tables.isEmpty
        ? "database: our tables are there already; none of OAR's is altered"
        : "database: the tables \(Self.list(tables)) are made; none of OAR's is altered",
      "nodes: our agent is brought to them over OAR's ssh, below /var/lib/liburna-node",
      "services: oar-server stops, liburnad starts; jobs that run go on",
    ]
    if configuration["LIBURNA_NODE_COMMAND"] != nil {
      step.changes.append("nodes are reached by LIBURNA_NODE_COMMAND instead of OPENSSH_CMD")
    }
    let ends = cluster?.jobs.filter { Self.runningStates.contains($0.state) }.count ?? 0
    if ends > 0 {
      step.changes.append("jobs that OAR 2 started go on (\(ends)); OAR's bipbip writes their ends")
    }
    step.commands += ["systemctl stop oar-server", "systemctl start liburnad"]
    step.back = ["systemctl stop liburnad", "systemctl start oar-server"]
    return step
  }

  private static let runningStates: Set<JobState> = [
    .launching, .running, .suspended, .resuming, .finishing,
  ]
}
