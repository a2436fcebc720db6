-- Give a folder that an earlier version inserts a name that no other folder has, until `place_folders` places it.
CREATE FUNCTION name_unplaced_folder() RETURNS trigger
LANGUAGE plpgsql
AS $$ BEGIN NEW.name := '/' || NEW.id; RETURN NEW; END $$;
