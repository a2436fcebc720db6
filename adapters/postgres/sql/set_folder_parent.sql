-- Fill `folders.parent_digest`. As a trigger, it also fills it for the functions of an earlier version.
CREATE FUNCTION set_folder_parent() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    NEW.parent_digest := folder_parent_digest(NEW.path);
    RETURN NEW;
END
$$;
