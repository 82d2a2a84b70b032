// The contract `liburna-plugin 1`, what a plug-in reads (Docs/Plugins.md): one JSON document a line for
// each question.

import ClusterModel
import Kamelot

/// Questions to plug-ins that are programs, as lines of JSON with their end of line.
public enum PluginRequest {
  /// The version of the contract, in every question.
  public static let version = 1

  public static func find(_ question: FindQuestion, plugin: String) -> [UInt8] {
    var line = PluginLine("find", plugin)
    line.now(question.now)
    line.job(question.job, question.arguments, question.moldable)
    line.member("start", question.start)
    line.member("duration", question.duration)
    line.request(question.request, question.job, question.moldable, question.platform)
    line.places("free", question.free, question.platform)
    return line.end()
  }

  public static func assign(_ question: AssignQuestion, plugin: String) -> [UInt8] {
    var line = PluginLine("assign", plugin)
    line.now(question.now)
    line.job(question.job, question.arguments, question.moldable)
    line.member("duration", question.duration)
    line.member("not_before", question.notBefore)
    if question.limit < .max { line.member("before", question.limit) }
    line.request(question.request, question.job, question.moldable, question.platform)
    return line.end()
  }

  /// The answer to what an assigner asks about the plan: a spot, or none.
  public static func spot(_ spot: PluginSpot?, plugin: String, on platform: Platform) -> [UInt8] {
    var line = PluginLine("spot", plugin)
    if let spot {
      line.member("start", spot.start)
      line.places("places", spot.places, platform)
    } else {
      line.writer.raw(",\"start\":null,\"places\":null")
    }
    return line.end()
  }

  /// The answer to what an assigner asks about the plan: what is free.
  public static func free(
    _ places: ResourceSet, plugin: String, on platform: Platform
  ) -> [UInt8] {
    var line = PluginLine("free", plugin)
    line.places("free", places, platform)
    return line.end()
  }

  public static func sort(_ question: SortQuestion, plugin: String) -> [UInt8] {
    var line = PluginLine("sort", plugin)
    line.now(question.now)
    line.texts("queues", question.queues)
    line.jobs(question.jobs)
    return line.end()
  }

  public static func extra(_ question: ExtraQuestion, plugin: String) -> [UInt8] {
    var line = PluginLine("extra", plugin)
    line.now(question.now)
    line.texts("queues", question.queues)
    line.jobs(question.jobs)
    line.placements(question.placements)
    return line.end()
  }
}

/// One line in the making.
private struct PluginLine {
  var writer = DocumentWriter()

  init(_ kind: String, _ plugin: String) {
    writer.raw("{\"version\":\(PluginRequest.version),\"kind\":\"\(kind)\",\"plugin\":")
    writer.text(plugin)
  }

  consuming func end() -> [UInt8] {
    writer.raw("}\n")
    return writer.bytes
  }

  mutating func member(_ name: String, _ number: Int) {
    writer.raw(",\"\(name)\":")
    writer.integer(number)
  }

  mutating func now(_ now: Instant) { member("now", now) }

  mutating func texts(_ name: String, _ texts: [String]) {
    writer.raw(",\"\(name)\":")
    writer.texts(texts)
  }

  mutating func places(_ name: String, _ places: ResourceSet, _ platform: Platform) {
    writer.raw(",\"\(name)\":\"")
    writer.ranges(platform.ids(of: places))
    writer.raw("\"")
  }

  mutating func job(_ job: WaitingJob, _ arguments: PluginArguments, _ moldable: Int) {
    texts("arguments", arguments.plain)
    writer.raw(",\"options\":{")
    for (index, (name, value)) in arguments.named.sorted(by: { $0.key < $1.key }).enumerated() {
      if index > 0 { writer.raw(",") }
      writer.text(name)
      writer.raw(":")
      writer.text(value)
    }
    writer.raw("},\"job\":")
    writer.job(job)
    member("moldable", moldable)
  }

  /// What one moldable asks for, and the blocks that it may be made of.
  mutating func request(
    _ request: ResolvedRequest, _ job: WaitingJob, _ moldable: Int, _ platform: Platform
  ) {
    let groups = job.moldables.indices.contains(moldable) ? job.moldables[moldable].groups : []
    member("need", request.need)
    writer.raw(",\"groups\":")
    writer.groups(groups)
    places("reach", request.reach, platform)
    writer.raw(",\"levels\":[")
    var names: [String] = []
    for level in groups.lazy.flatMap(\.levels) where !names.contains(level.property) {
      let blocks = platform.blocks(of: level.property, within: request.reach)
      // Single resources need no telling.
      guard blocks.contains(where: { $0.count > 1 }) else { continue }
      if !names.isEmpty { writer.raw(",") }
      names.append(level.property)
      writer.raw("{\"name\":")
      writer.text(level.property)
      writer.raw(",\"blocks\":[")
      for (index, block) in blocks.enumerated() {
        writer.raw(index == 0 ? "\"" : ",\"")
        writer.ranges(platform.ids(of: block))
        writer.raw("\"")
      }
      writer.raw("]}")
    }
    writer.raw("]")
  }

  mutating func jobs(_ jobs: [WaitingJob]) {
    writer.raw(",\"jobs\":")
    writer.list(jobs, isOneLine: true) { $0.job($1) }
  }

  mutating func placements(_ placements: [Placement]) {
    writer.raw(",\"placements\":")
    writer.list(placements, isOneLine: true) { $0.placement($1) }
  }
}

// The parts of a job, as in a scenario.
extension DocumentWriter {
  fileprivate mutating func texts(_ texts: [String]) {
    raw("[")
    for (index, one) in texts.enumerated() {
      if index > 0 { raw(",") }
      text(one)
    }
    raw("]")
  }

  fileprivate mutating func job(_ job: WaitingJob) {
    raw("{\"id\":")
    integer(job.id)
    for (name, value) in [
      ("user", job.user), ("project", job.project), ("queue", job.queue), ("name", job.name),
      ("properties", job.properties),
    ] {
      raw(",\"\(name)\":")
      text(value)
    }
    raw(",\"submission_time\":")
    integer(job.submissionTime)
    raw(",\"types\":")
    texts(job.types)
    raw(",\"moldables\":[")
    for (index, moldable) in job.moldables.enumerated() {
      raw(index == 0 ? "{\"walltime\":" : ",{\"walltime\":")
      integer(moldable.walltime)
      raw(",\"groups\":")
      groups(moldable.groups)
      raw("}")
    }
    raw("]}")
  }

  fileprivate mutating func groups(_ groups: [RequestGroup]) {
    raw("[")
    for (index, group) in groups.enumerated() {
      raw(index == 0 ? "{\"properties\":" : ",{\"properties\":")
      text(group.properties)
      raw(",\"levels\":[")
      for (depth, level) in group.levels.enumerated() {
        raw(depth == 0 ? "[" : ",[")
        text(level.property)
        raw(",")
        integer(level.count.stored)
        raw("]")
      }
      raw("]}")
    }
    raw("]")
  }
}
