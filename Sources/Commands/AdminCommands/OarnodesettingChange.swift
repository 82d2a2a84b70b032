// oarnodesetting on resources that exist: finds them, changes them, and waits for the jobs that
// have to go.

import ClusterModel
import CommandLine
import Glibc
import Wire

enum ResourceChange {
  /// How long jobs are waited for whose resources were taken away.
  static let patience: Seconds = 30

  static func run(
    _ setting: ResourceSetting, _ arguments: ParsedArguments, _ context: CommandContext
  ) throws -> Int32 {
    let isByHost =
      arguments[OarnodesettingOption.resources].isEmpty
      && arguments[OarnodesettingOption.condition] == nil
    let hosts = isByHost ? try HostNames.named(arguments) : arguments[OarnodesettingOption.hosts]
    let records = try select(hosts, arguments, context)
    let selection = ResourceSelection(ids: records.map(\.resource.id))
    guard
      case .setResources(let result) = try context.ask(.setResources(selection, setting))
    else { throw UnexpectedReply(question: "resources") }
    let isWaiting = !arguments[OarnodesettingOption.noWait]
    let report = ChangeReport(
      setting: setting, records: records, result: result, hosts: isByHost ? hosts : nil,
      checksJobs: isWaiting)
    let remaining = isWaiting ? try ended(result.endedJobs, context) : []
    context.output.write(report.text(remaining: remaining))
    guard remaining.isEmpty else {
      let jobs = remaining.sorted().map(String.init).joined(separator: ", ")
      context.errors.line(
        "/!\\ Not ended within \(patience) s: \(jobs). The server goes on ending them.")
      return 11
    }
    return 0
  }

  /// The resources of a selection.
  static func records(
    _ selection: ResourceSelection, _ context: CommandContext
  ) throws -> [ResourceRecord] {
    guard case .resources(let records, _) = try context.ask(.resources(selection)) else {
      throw UnexpectedReply(question: "resources")
    }
    return records
  }

  /// The resources that the options name. Nothing is changed when one of them does not exist.
  private static func select(
    _ hosts: [String], _ arguments: ParsedArguments, _ context: CommandContext
  ) throws -> [ResourceRecord] {
    let ids = arguments[OarnodesettingOption.resources]
    let condition = arguments[OarnodesettingOption.condition]
    let selection = ResourceSelection(ids: ids, hosts: hosts, condition: condition)
    let records: [ResourceRecord]
    do {
      records = try self.records(selection, context)
    } catch let refusal as Refusal where refusal.kind == .badProperty {
      throw CommandFailure(12, "/!\\ \(refusal.message)")
    }
    let knownHosts = Set(records.map(\.resource.networkAddress))
    for host in hosts where !knownHosts.contains(host) {
      throw CommandFailure(4, "/!\\ Node \(shortened(host)) does not exist in OAR database.")
    }
    let knownIDs = Set(records.map(\.resource.id))
    let missing = ids.filter { !knownIDs.contains($0) }
    guard missing.isEmpty else {
      throw CommandFailure(
        3, "\(missing.count) resource(s) cannot be updated.",
        "Nothing was changed: there is no resource "
          + missing.prefix(20).map(String.init).joined(separator: ", ") + ".")
    }
    guard !records.isEmpty else {
      throw CommandFailure(
        12, "/!\\ Your SQL clause returns nothing and there is no resource specified.")
    }
    return records
  }

  /// Waits until jobs have ended and returns those that have not when patience is over.
  private static func ended(
    _ jobs: [JobID], _ context: CommandContext
  ) throws -> Set<JobID> {
    var remaining = Set(jobs)
    guard !remaining.isEmpty else { return [] }
    let link = try context.server()
    let question = try link.send(.follow(JobSelection(ids: jobs)))
    let deadline = monotonicMilliseconds() + patience * 1000
    while !remaining.isEmpty {
      if !link.hasEvent {
        let left = deadline - monotonicMilliseconds()
        guard left > 0, waitForInput(link.descriptor, milliseconds: left) else { break }
      }
      guard case .notice(let notice) = try link.reply(to: question) else {
        throw UnexpectedReply(question: "changes of jobs")
      }
      if notice.state.isFinal { remaining.remove(notice.job) }
    }
    // Later answers must not be mixed with notices that nobody waits for.
    context.disconnect()
    return remaining
  }

  private static func monotonicMilliseconds() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
  }

  private static func waitForInput(_ descriptor: Int32, milliseconds: Int) -> Bool {
    var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    let count = poll(&waiting, 1, Int32(min(milliseconds, Int(Int32.max))))
    return count > 0 || (count < 0 && errno == EINTR)
  }
}

enum HostNames {
  /// The hosts that `-h` and `-f` name; this one if none.
  static func named(_ arguments: ParsedArguments) throws -> [String] {
    var hosts = arguments[OarnodesettingOption.hosts]
    if let path = arguments[OarnodesettingOption.file] {
      do {
        let lines = try readText(path: path, limit: 16 << 20).split(separator: "\n")
        hosts += lines.map { String($0.filter { !$0.isWhitespace }) }.filter { !$0.isEmpty }
      } catch {
        throw CommandFailure(13, "/!\\ \(error.description)")
      }
      guard !hosts.isEmpty else {
        throw CommandFailure(13, "/!\\ \(shortened(path)) names no host.")
      }
    }
    return hosts.isEmpty ? [ownName()] : hosts
  }

  private static func ownName() -> String {
    var buffer = [CChar](repeating: 0, count: 256)
    gethostname(&buffer, buffer.count - 1)
    return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}
