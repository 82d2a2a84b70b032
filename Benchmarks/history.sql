-- 100,000 jobs that have ended, as the server records them, in an otherwise new database.
BEGIN;
CREATE TEMP TABLE ended AS
  WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 100000)
  SELECT n AS id, CAST(strftime('%s', 'now') AS INTEGER) - 400000 + 3 * n AS date FROM number;

INSERT INTO jobs (
  job_id, array_id, array_index, initial_request, job_type, info_type, state, reservation, message,
  job_user, project, command, exit_code, queue_name, properties, launching_directory,
  submission_time, start_time, stop_time, assigned_moldable_job, checkpoint, checkpoint_signal,
  stdout_file, stderr_file)
SELECT id, id, 1, 'oarsub -l /core=1,walltime=0:1:0 ./simulate --case ' || id, 'PASSIVE', 'server:',
  'Terminated', 'None', 'R=1,W=0:1:0,J=B', 'user' || (1 + id % 2), 'default',
  './simulate --case ' || id, 0, 'default', '(desktop_computing = ''NO'') AND drain=''NO''',
  '/home/user1', date, date + 1, date + 3, id, 0, 12, 'OAR.%jobid%.stdout', 'OAR.%jobid%.stderr'
FROM ended;

INSERT INTO moldable_job_descriptions (
  moldable_id, moldable_job_id, moldable_walltime, moldable_index)
SELECT id, id, 60, 'LOG' FROM ended;

INSERT INTO job_resource_groups (
  res_group_id, res_group_moldable_id, res_group_property, res_group_index)
SELECT id, id, 'type = ''default''', 'LOG' FROM ended;

INSERT INTO job_resource_descriptions (
  res_job_group_id, res_job_resource_type, res_job_value, res_job_order, res_job_index)
SELECT id, 'core', 1, 0, 'LOG' FROM ended;

INSERT INTO assigned_resources (moldable_job_id, resource_id, assigned_resource_index)
SELECT id, 1 + id % 12, 'LOG' FROM ended;

INSERT INTO job_state_logs (job_id, job_state, date_start, date_stop)
SELECT id, state, date + start, date + stop
FROM ended, (
  SELECT 'Waiting' AS state, 0 AS start, 1 AS stop
  UNION ALL SELECT 'toLaunch', 1, 1 UNION ALL SELECT 'Launching', 1, 1
  UNION ALL SELECT 'Running', 1, 3);
INSERT INTO job_state_logs (job_id, job_state, date_start, date_stop)
SELECT id, 'Terminated', date + 3, 0 FROM ended;

INSERT INTO event_logs (type, job_id, date, description, to_check)
SELECT 'SWITCH_INTO_TERMINATE_STATE', id, date + 3,
  '[bipbip ' || id || '] Ask to change the job state', 'NO'
FROM ended;
COMMIT;
