-- What a rule asks of a sign-in; where clients hear of a logout; which worker a job is for; sessions that ended.

ALTER TABLE rules ADD COLUMN requires TEXT;
ALTER TABLE clients ADD COLUMN backchannel_logout_uri TEXT;
ALTER TABLE clients ADD COLUMN backchannel_logout_session_required INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN queue TEXT NOT NULL DEFAULT 'cut_off';
ALTER TABLE accounts ADD COLUMN ended_sessions TEXT;
