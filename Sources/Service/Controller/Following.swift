// Commands that hear of jobs as they change.

import ClusterModel
import Storage
import Wire

/// Somebody who hears of changes of jobs.
struct Follower {
  let client: Int
  let request: Int
  /// The jobs; `nil` for all of `user`.
  let jobs: Set<JobID>?
  let user: String

  func wants(_ notice: JobNotice) -> Bool {
    jobs.map { $0.contains(notice.job) } ?? (notice.user == user)
  }
}

extension Controller {
  func follow(
    _ selection: JobSelection?, _ id: Int, _ client: ClientConnection, _ asker: Asker
  ) throws(Refusal) {
    let ids = try selection.map { selection throws(Refusal) in Set(try chosen(selection)) }
    for job in ids ?? [] where job < 1 || job >= state.nextJob {
      throw Refusal(.unknownJob, "there is no job \(job)")
    }
    try addFollower(
      Follower(client: client.id, request: id, jobs: ids, user: asker.name))
    let now = Self.now
    var unknown: [JobID] = []
    let present =
      ids?.sorted() ?? state.visibleJobs { $0.request.user == asker.name }.map(\.id)
    for job in present {
      if let job = state.jobs[job] {
        client.reply(id, .notice(state.notice(of: job, at: now)))
      } else {
        unknown.append(job)
      }
    }
    if !unknown.isEmpty { tellEnds(of: unknown, id, client) }
  }

  func addFollower(_ follower: Follower) throws(Refusal) {
    let limit = ClientLimits.followingsPerClient
    guard followers.count(where: { $0.client == follower.client }) < limit else {
      throw Refusal(.limit, "one command follows jobs at most \(limit) times")
    }
    followers.append(follower)
    state.hasFollowers = true
  }

  private func tellEnds(of ids: [JobID], _ id: Int, _ client: ClientConnection) {
    Task {
      var filter = JobFilter()
      filter.ids = ids
      let stored = (try? await storage.jobs(matching: filter, limit: ids.count)) ?? []
      for record in stored.map({ state.ended[$0.id] ?? $0 }) where record.state.isFinal {
        client.reply(
          id,
          .notice(
            JobNotice(
              job: record.id, user: record.user, state: record.state, date: record.stopTime,
              exitCode: record.exitCode,
              text: record.exitCode.map(describeStatus) ?? record.message,
              reservation: record.reservation == .none ? nil : record.reservation)))
      }
    }
  }

  func tellFollowers(_ notice: JobNotice) {
    for follower in followers where follower.wants(notice) {
      guard let client = clients[follower.client] else { continue }
      client.reply(follower.request, .notice(notice))
      if client.stream.backlog > ClientLimits.unreadNotices { cutOff(client) }
    }
  }
}
