// `oarsub -r`: the dates it takes, and what it prints of what was decided; texts as recorded of OAR 2.5.9.

import ClusterModel
import Testing
import Wire

@testable import CommandLine
@testable import UserCommands

/// Reserves; the server tells of these steps.
private func reserve(
  _ words: [String], count: Int = 1, _ notices: [JobNotice]
) throws -> (result: CallResult, sent: Submission?) {
  let seen = Seen<Submission>()
  let result = try call(Oarsub.self, ["oarsub"] + words) { client, event in
    guard case .request(let id, let request) = event else { return }
    switch request {
    case .submit(let submission):
      seen.add(submission)
      client.reply(
        id,
        .submitted(
          SubmissionResult(
            remarks: ["Modify resource description with type constraints"], first: 36,
            count: count, arrayID: 36)))
    case .follow: for notice in notices { client.reply(id, .notice(notice)) }
    default: break
    }
  }
  return (result, seen.all.first)
}

private func notice(
  _ state: JobState, _ reservation: ReservationState, _ text: String = "", of job: JobID = 36
) -> JobNotice {
  JobNotice(
    job: job, user: "alice", state: state, date: 100, exitCode: nil, text: text,
    reservation: reservation)
}

@Suite("oarsub -r") struct OarsubReservationTests {
  @Test("a reservation that is accepted is told as OAR tells it, with or without a command")
  func accepted() throws {
    for command in [["sleep 1"], []] {
      let (result, sent) = try reserve(
        ["-r", "2030-02-01 10:00:00", "-l", "core=1,walltime=0:1"] + command,
        [notice(.waiting, .toSchedule), notice(.toAckReservation, .scheduled)])
      #expect(
        result.output == """
          [ADMISSION RULE] Modify resource description with type constraints
          OAR_JOB_ID=36
          Reservation mode: waiting validation...
          Reservation valid --> OK

          """)
      #expect(result.code == 0 && result.errors == "")
      #expect(sent?.reservationStart == LocalDate.instant("2030-02-01 10:00:00"))
      #expect(sent?.command == command.first ?? "")
    }
  }

  @Test("a reservation that is refused has OAR's exit code, and the date when it could run")
  func refused() throws {
    let reason = "This reservation could run at 2026-11-20 13:19:47"
    let (result, _) = try reserve(
      ["-r", "now", "true"],
      [notice(.toError, .scheduled), notice(.error, .scheduled, reason)])
    #expect(
      result.output.hasSuffix(
        "waiting validation...\nReservation not valid --> KO (\(reason))\n"))
    #expect(result.code == 10)
  }

  @Test("who waits for a queue that is not active is told so, once")
  func inactiveQueue() throws {
    let reason = "The queue \"default\" is not active: it starts no jobs."
    let (result, _) = try reserve(
      ["-r", "now", "true"],
      [
        notice(.waiting, .toSchedule, JobNotice.unplanned), notice(.waiting, .toSchedule, reason),
        notice(.waiting, .toSchedule, reason), notice(.toAckReservation, .scheduled),
      ])
    #expect(
      result.errors == "[\(LocalDate(100).text)] Not decided yet: \(reason)\n")
    #expect(result.code == 0)
  }

  @Test("it may be decided before anybody asks")
  func early() throws {
    #expect(try reserve(["-r", "now", "true"], [notice(.running, .scheduled)]).result.code == 0)
    #expect(try reserve(["-r", "now", "true"], [notice(.waiting, .scheduled)]).result.code == 0)
  }

  @Test("of several, each is told, and one that is refused makes the exit code")
  func several() throws {
    let (result, _) = try reserve(
      ["-r", "now", "--array", "2", "true"], count: 2,
      [
        notice(.error, .scheduled, "Reservation too old", of: 37),
        notice(.toAckReservation, .scheduled),
      ])
    #expect(
      result.output.hasSuffix(
        """
        Job 37: Reservation not valid --> KO (Reservation too old)
        Job 36: Reservation valid --> OK

        """))
    #expect(result.code == 10)
  }

  @Test("--json is one document, told when it is decided")
  func document() throws {
    let (result, _) = try reserve(
      ["--json", "-r", "now", "true"], [notice(.error, .scheduled, "Reservation too old")])
    #expect(result.output.contains("\"reservation_accepted\": false"))
    #expect(result.output.contains("\"reservation_refusal\": \"Reservation too old\""))
    #expect(result.output.hasPrefix("{\n  \"format\": 1,\n  \"jobs\": ["))
    #expect(result.code == 10)
  }

  @Test("--wait goes on to the end of the job")
  func waiting() throws {
    var end = notice(.terminated, .scheduled)
    end.exitCode = 3 << 8
    let (result, _) = try reserve(
      ["--wait", "-r", "now", "true"], [notice(.toAckReservation, .scheduled), end])
    #expect(result.code == 3)
  }

  @Test(
    "dates have a day and a time, or a time of today, and perhaps an end",
    arguments: [
      ("2030-02-01 10:00:00", 1_896_170_400, nil), ("2030-02-01 10:5", 1_896_170_700, nil),
      (" 2030-02-01  10 ", 1_896_170_400, nil), ("now", 1000, nil), ("10:00", 36_000, nil),
      ("2030-02-01 10:00:00, 2030-02-01 12:00:00", 1_896_170_400, 1_896_177_600),
      ("2030-02-01 10:00:00,12:00", 1_896_170_400, 1_896_177_600),
      ("now, 1970-01-02 0:0:0", 1000, 86_400),
    ] as [(String, Instant, Instant?)])
  func dates(text: String, start: Instant, end: Instant?) {
    let dates = ReservationDates(parsing: text, now: 1000, in: .utc)
    #expect(dates?.start == start)
    #expect(dates?.end == end)
  }

  @Test(
    "anything else is no date",
    arguments: [
      "", ",", "tomorrow", "2030-02-01", "10:00:00:00", "10:", "25:00", "now,", "now now",
    ]
  )
  func noDates(text: String) {
    #expect(ReservationDates(parsing: text, now: 1000, in: .utc) == nil)
  }
}
