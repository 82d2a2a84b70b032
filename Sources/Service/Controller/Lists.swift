// Lists of jobs and events, from memory and from the store.

import ClusterModel
import Storage
import Wire

extension Controller {
  func list(
    _ query: JobQuery, _ id: Int, _ client: ClientConnection, _ asker: Asker
  ) throws(Refusal) {
    guard let selection = query.selection else {
      let jobs = state.visibleJobs { job in
        query.users?.contains(job.request.user) ?? true
          && query.states?.contains(job.state) ?? true
      }
      let wantsEnded = query.states?.contains { $0.isFinal } ?? false
      if !wantsEnded, !query.full {
        return send(jobs.map { state.record(of: $0) }, id, client, asker)
      }
      var filter = JobFilter()
      filter.users = query.users
      filter.states = query.states
      if !wantsEnded { filter.ids = jobs.map(\.id) }
      return fetch(filter, query, id, client, asker)
    }
    var filter = JobFilter()
    filter.users = query.users
    filter.states = query.states
    if !selection.ids.isEmpty { filter.ids = selection.ids }
    if !selection.arrays.isEmpty { filter.arrays = selection.arrays }
    if let text = selection.condition {
      filter.condition = try state.expression(text, of: JobColumns.names)
    }
    fetch(filter, query, id, client, asker)
  }

  /// Asks the store, and puts what is newer in memory in place of what it says.
  private func fetch(
    _ filter: JobFilter, _ query: JobQuery, _ id: Int, _ client: ClientConnection, _ asker: Asker
  ) {
    client.postpone()
    Task {
      do {
        let stored = try await storage.jobs(
          matching: filter, limit: ClientLimits.storedJobs)
        let records = stored.map { stored -> JobRecord in
          var record = stored
          if let job = state.jobs[stored.id] {
            record = state.record(of: job)
          } else if let ended = state.ended[stored.id] {
            record = ended
          } else {
            record.assignedHosts = state.hosts(of: stored.assignedResources)
          }
          record.events = stored.events
          return record
        }
        client.finishPostponed()
        send(
          records.filter { query.states?.contains($0.state) ?? true }, id, client, asker)
      } catch {
        client.settle(id, .refused(Refusal(.unavailable, "\(error)")))
      }
    }
  }

  private func send(
    _ records: [JobRecord], _ id: Int, _ client: ClientConnection, _ asker: Asker
  ) {
    let size = ClientLimits.recordsPerFrame
    var start = 0
    repeat {
      let end = min(start + size, records.count)
      let part = records[start..<end].map { record -> JobRecord in
        var record = record
        if !asker.mayTouch(jobOf: record.user) { record.initialRequest = nil }
        return record
      }
      client.reply(id, .jobs(part, last: end == records.count))
      start = end
    } while start < records.count
  }

  func storedEvents(_ filter: EventFilter, _ id: Int, _ client: ClientConnection) {
    client.postpone()
    Task {
      do {
        client.settle(id, .events(try await storage.events(filter)))
      } catch {
        client.settle(id, .refused(Refusal(.unavailable, "\(error)")))
      }
    }
  }
}
